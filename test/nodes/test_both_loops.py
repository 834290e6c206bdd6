"""The loop through the nodes in real time moves the robot as the loop in process does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from ros_graph import Graph  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from tiny_models import write_tiny_models  # noqa: E402

from dva_ros.bringup.graph import GraphOptions, checkpoint_overrides  # noqa: E402
from dva_ros.bringup.supervisor import Supervisor  # noqa: E402
from dva_ros.cell.simulation import Cell  # noqa: E402
from dva_ros.cell.tasks import find_task  # noqa: E402
from dva_ros.evaluation.closed_loop import ClosedLoop, LoopSettings  # noqa: E402
from dva_ros.evaluation.policy import ModelPolicy  # noqa: E402
from dva_ros.inverse_dynamics.decoder import InverseDynamics  # noqa: E402
from dva_ros.leapfrog.limits import JointLimits  # noqa: E402
from dva_ros.leapfrog.parameters import LeapfrogParameters  # noqa: E402
from dva_ros.resources import config_path  # noqa: E402
from dva_ros.ros import qos  # noqa: E402
from dva_ros.ros.conversions import seconds_of  # noqa: E402
from dva_ros.video.predictor import VideoPredictor  # noqa: E402

AHEAD = {"left_waist": 0.04, "right_wrist_rotate": -0.03}
START_S, SPAN_S = 3.0, 3.0


def velocity_in_process(models: Path) -> np.ndarray:
    """Mean joint velocity float64 [J] from START_S on, over SPAN_S."""
    cell = Cell()
    decoder = InverseDynamics.load(models / "inverse_dynamics")
    predictor = VideoPredictor.load(models / "video")
    policy = ModelPolicy(predictor, decoder, decoder.config.num_real_frames)
    limits = JointLimits.load(config_path("joint_limits"), cell.spec.joint_names)
    timing = LeapfrogParameters(
        inference_delay_frames=2, execution_horizon=2
    )  # config/cell.yaml's
    positions = []
    for seconds in (START_S, START_S + SPAN_S):
        settings = LoopSettings(latency_s=0.05, max_seconds=seconds, leapfrog=timing)
        ClosedLoop(cell, policy, limits, settings).run(find_task("pick_place"), 0, "test")
        positions.append(cell.positions().astype(float))
    cell.close()
    return (positions[1] - positions[0]) / SPAN_S


def velocity_through_ros(graph: Graph, models: Path) -> np.ndarray:
    """As above, through the nodes."""
    joints: list[JointState] = graph.collect(JointState, "joint_states", qos.reliable(1000))
    options = GraphOptions(config_path("cell"), overrides=checkpoint_overrides(models))
    with Supervisor(options, print):
        graph.spin_until(lambda: joints, 90.0)

        def moved() -> bool:
            return abs(joints[-1].position[0] - joints[0].position[0]) > AHEAD["left_waist"]

        graph.spin_until(moved, 60.0)
        graph.spin(START_S - 1.0)
        first = joints[-1]
        graph.spin(SPAN_S)
        last = joints[-1]
    seconds = seconds_of(last.header.stamp) - seconds_of(first.header.stamp)
    return (np.array(last.position) - np.array(first.position)) / seconds


def test_both_loops_move_the_robot_alike(graph: Graph, tmp_path: Path) -> None:
    models = write_tiny_models(tmp_path, ahead=AHEAD)
    simulated, real = velocity_in_process(models), velocity_through_ros(graph, models)
    assert simulated[0] > 0.05
    np.testing.assert_allclose(real, simulated, rtol=0.1, atol=0.003)

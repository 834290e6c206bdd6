"""The whole graph as processes: data flows, ids trace through, a dead node is told at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from ros_graph import Graph  # noqa: E402
from running_program import RunningProgram, find_process  # noqa: E402
from sensor_msgs.msg import CameraInfo, JointState  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint  # noqa: E402

from dva_msgs.msg import (  # noqa: E402
    ActionChunk,
    ContextFrame,
    ControllerState,
    LeapfrogStatus,
    PredictedClip,
    PredictionRequest,
    TaskStatus,
)
from dva_msgs.srv import ResetCell  # noqa: E402
from dva_ros.ros import qos  # noqa: E402

START_S = 90.0


class Up(RunningProgram):
    """``python -m dva_ros up``, its output and its exit status."""

    def __init__(self, *arguments: str) -> None:
        super().__init__(sys.executable, "-m", "dva_ros", "up", *arguments)

    def end(self) -> int:
        return self.interrupt(signal.SIGTERM)

    def pid(self, node: str) -> int:
        pid = find_process(f"dva_ros.nodes.{node}", parent=self.process.pid)
        assert pid is not None, f"no process of {node}"
        return pid


@pytest.fixture
def up(tiny_models: Path) -> Iterator[Up]:
    running = Up("--models", str(tiny_models))
    yield running
    running.end()


def test_frames_become_motion_and_every_id_leads_back(graph: Graph, up: Up) -> None:
    frames = graph.collect(ContextFrame, "camera_context/context", qos.FRAMES)
    requests = graph.collect(PredictionRequest, "leapfrog_scheduler/request", qos.reliable(50))
    clips = graph.collect(PredictedClip, "video_predictor/clip", qos.reliable(50))
    chunks = graph.collect(ActionChunk, "inverse_dynamics/chunk", qos.reliable(50))
    statuses = graph.collect(LeapfrogStatus, "leapfrog_scheduler/status", qos.reliable(50))
    sent = graph.collect(
        JointTrajectory, "joint_trajectory_controller/joint_trajectory", qos.reliable(50)
    )
    states = graph.collect(
        ControllerState, "joint_trajectory_controller/controller_state", qos.reliable(50)
    )
    infos = graph.collect(CameraInfo, "overhead/camera_info", qos.SENSOR)
    descriptions = graph.collect(String, "robot_description", qos.STATE)
    tasks = graph.collect(TaskStatus, "cell/task_status", qos.STATE)
    joints = graph.collect(JointState, "joint_states", qos.SENSOR)
    graph.spin_until(lambda: len(chunks) >= 8 and len(sent) >= 8, START_S)
    graph.spin(1.0)
    chunk = chunks[-3]
    clip = next(c for c in clips if c.clip_id == chunk.clip_id)
    request = next(r for r in requests if r.request_id == clip.request_id)
    assert chunk.request_id == request.request_id
    assert chunk.frame_index == clip.frame_index == request.frame_index
    frame = next(
        f for f in frames if (f.session, f.frame_index) == (request.session, request.frame_index)
    )
    real = np.frombuffer(clip.real_rgb, np.uint8).reshape(clip.num_real_frames, -1)[-1]
    assert (real == np.frombuffer(frame.rgb, np.uint8)).all()
    assert chunk.chunk_id in {status.chunk_id for status in statuses}
    assert tasks[-1].task == "pick_place"
    assert frame.instruction == tasks[-1].instruction
    assert np.allclose(sent[-1].points[-1].velocities, 0.0)
    assert list(states[-1].joint_names) == list(joints[-1].name)
    assert infos
    assert descriptions[-1].data.startswith("<?xml")


def test_the_cell_resets_refuses_aloud_and_ends_cleanly(graph: Graph, up: Up) -> None:
    tasks = graph.collect(TaskStatus, "cell/task_status", qos.STATE)
    graph.spin_until(lambda: tasks, START_S)
    answer = graph.call(
        ResetCell, "cell/reset", ResetCell.Request(task="lift", seed=3, split="test")
    )
    assert answer.success
    assert "lift" in answer.instruction
    graph.spin_until(lambda: tasks[-1].task == "lift")
    refused = graph.call(
        ResetCell, "cell/reset", ResetCell.Request(task="fly", seed=3, split="test")
    )
    assert not refused.success
    assert "pick_place" in refused.message
    publisher = graph.client.create_publisher(
        JointTrajectory, "joint_trajectory_controller/joint_trajectory", qos.COMMAND
    )
    graph.spin_until(lambda: publisher.get_subscription_count() > 0)
    point = JointTrajectoryPoint(positions=[0.0])
    publisher.publish(JointTrajectory(joint_names=["nose"], points=[point]))
    graph.spin_until(lambda: "joints don't match" in up.text)
    assert up.end() == 0
    assert "Traceback" not in up.text


@pytest.mark.parametrize("node", ["video_predictor", "camera_context"])
def test_a_killed_node_is_told_at_once_and_all_others_stop(
    graph: Graph, up: Up, node: str
) -> None:
    chunks = graph.collect(ActionChunk, "inverse_dynamics/chunk", qos.reliable(50))
    sent = graph.collect(
        JointTrajectory, "joint_trajectory_controller/joint_trajectory", qos.reliable(50)
    )
    graph.spin_until(lambda: len(chunks) >= 3, START_S)
    os.kill(up.pid(node), signal.SIGKILL)
    graph.spin_until(lambda: f"node {node} was ended by SIGKILL" in up.text)
    assert up.process.wait(40) == 1
    assert np.allclose(sent[-1].points[-1].velocities, 0.0)


def test_with_respawn_a_killed_node_is_told_and_comes_back(
    graph: Graph, tiny_models: Path
) -> None:
    up = Up("--models", str(tiny_models), "--respawn")
    try:
        chunks = graph.collect(ActionChunk, "inverse_dynamics/chunk", qos.reliable(50))
        graph.spin_until(lambda: len(chunks) >= 3, START_S)
        os.kill(up.pid("inverse_dynamics"), signal.SIGKILL)
        graph.spin_until(lambda: "node inverse_dynamics was ended by SIGKILL" in up.text)
        chunks.clear()
        graph.spin_until(lambda: len(chunks) >= 3, START_S)
    finally:
        assert up.end() == 0


def test_a_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    parameters = tmp_path / "bad.yaml"
    parameters.write_text("/**/leapfrog_scheduler:\n  ros__parameters:\n    horizon: 5000\n")
    up = Up("--config", str(parameters), "--no-cell")
    assert up.process.wait(60) == 1
    up.end()
    assert "leapfrog_scheduler ended with exit status 1" in up.text
    assert "horizon" in up.text

"""The scheduler on the wire: it engages, names what blocks it, and its last word is a stop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from rclpy.parameter import Parameter  # noqa: E402
from robot_inputs import RobotInputs  # noqa: E402
from ros_graph import Graph  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import SetBool, Trigger  # noqa: E402
from trajectory_msgs.msg import JointTrajectory  # noqa: E402

from dva_msgs.msg import ActionChunk, LeapfrogStatus, PredictionRequest  # noqa: E402
from dva_ros.cell.description import robot_description  # noqa: E402
from dva_ros.cell.kinematics import inverse_kinematics_down  # noqa: E402
from dva_ros.leapfrog.motion import Motion  # noqa: E402
from dva_ros.nodes import qos  # noqa: E402
from dva_ros.nodes.camera_context import CameraContextNode  # noqa: E402
from dva_ros.nodes.leapfrog_scheduler import LeapfrogSchedulerNode  # noqa: E402
from dva_ros.spec import EMBEDDED_CELL  # noqa: E402

HORIZON = 8


class Loop:
    """Context and scheduler; the test answers requests with a slow sweep of the left waist."""

    def __init__(self, graph: Graph, parameters: Sequence[Parameter] = ()) -> None:
        self.graph = graph
        graph.add_active(CameraContextNode())
        self.scheduler = graph.add_active(
            LeapfrogSchedulerNode(parameter_overrides=list(parameters))
        )
        self.trajectories = graph.collect(
            JointTrajectory, "joint_trajectory_controller/joint_trajectory", qos.reliable(100)
        )
        self.statuses = graph.collect(
            LeapfrogStatus, "leapfrog_scheduler/status", qos.reliable(100)
        )
        self._chunks = graph.client.create_publisher(
            ActionChunk, "inverse_dynamics/chunk", qos.COMMAND
        )
        graph.client.create_subscription(
            PredictionRequest, "leapfrog_scheduler/request", self._answer, qos.COMMAND
        )
        self.bad_value: float | None = None
        self.inputs = RobotInputs(graph.client)
        self.inputs.start()
        graph.spin_until(lambda: self.statuses and self.statuses[-1].frame_index >= 2)

    def engage(self) -> None:
        assert self.graph.call(Trigger, "leapfrog_scheduler/engage", Trigger.Request()).success

    def _answer(self, request: PredictionRequest) -> None:
        joints = EMBEDDED_CELL.num_joints
        committed = np.array(request.committed).reshape(-1, joints)
        ahead = np.arange(1, HORIZON + 1)[:, None] - len(committed)
        start = committed[-1] if len(committed) else np.zeros(joints)
        targets = start + 0.015 * ahead * np.eye(joints)[0]
        targets[: len(committed)] = committed
        if self.bad_value is not None:
            targets[-1, 5] = self.bad_value
        chunk = ActionChunk(
            session=request.session,
            request_id=request.request_id,
            chunk_id=request.request_id,
            frame_index=request.frame_index,
            num_frames=HORIZON,
            joint_names=request.joint_names,
            positions=targets.ravel().tolist(),
        )
        self._chunks.publish(chunk)


@pytest.fixture
def loop(graph: Graph) -> Loop:
    return Loop(graph)


def ends_at_rest(message: JointTrajectory) -> bool:
    return bool(np.allclose(message.points[-1].velocities, 0.0))


def test_every_message_ends_at_rest_and_moves_in_between(loop: Loop) -> None:
    loop.engage()
    loop.graph.spin_until(lambda: len(loop.trajectories) >= 4)
    assert all(ends_at_rest(message) for message in loop.trajectories)
    assert max(abs(p.velocities[0]) for p in loop.trajectories[-1].points) > 0.1
    assert loop.statuses[-1].mode == LeapfrogStatus.MODE_ENGAGED


def test_deactivation_in_motion_sends_a_stop_as_the_last_message(loop: Loop) -> None:
    loop.engage()
    loop.graph.spin_until(lambda: len(loop.trajectories) >= 4)
    before = len(loop.trajectories)
    target = loop.trajectories[-1].points[-1].positions[0]
    loop.scheduler.trigger_deactivate()
    loop.graph.spin(0.6)
    assert len(loop.trajectories) == before + 1
    stop = loop.trajectories[-1]
    assert ends_at_rest(stop)
    assert stop.points[-1].positions[0] < target


def test_a_lost_camera_stops_the_robot_and_is_named(loop: Loop) -> None:
    loop.engage()
    loop.graph.spin_until(lambda: len(loop.trajectories) >= 3)
    loop.inputs.without.add("overhead")
    loop.graph.spin_until(
        lambda: (
            loop.statuses[-1].mode in (LeapfrogStatus.MODE_STOPPING, LeapfrogStatus.MODE_HOLDING)
        )
    )
    loop.graph.spin_until(lambda: "overhead missing" in loop.statuses[-1].reason)
    count = len(loop.trajectories)
    loop.graph.spin(1.0)
    assert len(loop.trajectories) == count
    loop.inputs.without.clear()
    loop.graph.spin_until(lambda: len(loop.trajectories) > count)


def test_nan_in_the_joint_states_stops_the_robot_and_is_named(loop: Loop) -> None:
    loop.engage()
    loop.graph.spin_until(lambda: len(loop.trajectories) >= 3)
    loop.inputs.position[1] = np.nan
    loop.graph.spin_until(lambda: "left_shoulder" in loop.statuses[-1].reason)
    assert loop.statuses[-1].mode != LeapfrogStatus.MODE_ENGAGED


def test_a_chunk_with_nan_is_refused_and_nothing_is_sent(loop: Loop) -> None:
    loop.bad_value = float("nan")
    loop.engage()
    loop.graph.spin_until(lambda: loop.statuses[-1].refusals >= 1)
    assert "not finite" in loop.statuses[-1].reason
    assert loop.trajectories == []


def test_engaging_without_the_robots_state_says_so(graph: Graph) -> None:
    graph.add_active(LeapfrogSchedulerNode())
    answer = graph.call(Trigger, "leapfrog_scheduler/engage", Trigger.Request())
    assert not answer.success
    assert "no joint states" in answer.message


def test_hold_stops_and_goes_on_over_its_service(loop: Loop) -> None:
    loop.engage()
    loop.graph.spin_until(lambda: len(loop.trajectories) >= 3)
    assert loop.graph.call(SetBool, "leapfrog_scheduler/hold", SetBool.Request(data=True)).success
    loop.graph.spin_until(lambda: loop.statuses[-1].mode == LeapfrogStatus.MODE_HOLDING)
    assert "operator" in loop.statuses[-1].reason
    count = len(loop.trajectories)
    assert ends_at_rest(loop.trajectories[-1])
    loop.graph.spin(0.6)
    assert len(loop.trajectories) == count
    assert loop.graph.call(SetBool, "leapfrog_scheduler/hold", SetBool.Request(data=False)).success
    loop.graph.spin_until(lambda: len(loop.trajectories) > count)


def test_in_single_step_mode_nothing_moves_without_approval(graph: Graph) -> None:
    loop = Loop(graph, [Parameter("single_step", value=True)])
    loop.engage()
    loop.graph.spin_until(lambda: loop.statuses[-1].approval_wanted)
    loop.graph.spin(0.5)
    assert loop.trajectories == []
    answer = graph.call(SetBool, "leapfrog_scheduler/approve", SetBool.Request(data=True))
    assert answer.success, answer.message
    loop.graph.spin_until(lambda: len(loop.trajectories) == 1)


def test_obstacles_are_held_against_motion_and_a_wrong_file_is_refused(
    graph: Graph, tmp_path: Path
) -> None:
    pytest.importorskip("pinocchio", reason="pinocchio is not installed; run make setup")
    node = graph.add_active(
        LeapfrogSchedulerNode(parameter_overrides=[Parameter("obstacles", value="tray")])
    )
    heard = graph.client.create_publisher(String, "robot_description", qos.STATE)
    heard.publish(String(data=robot_description()))
    graph.spin_until(lambda: node._leapfrog.guard is not None)
    arms = [
        [*inverse_kinematics_down(side, np.array(place)), 0.02]
        for side, place in (("left", (0.0, 0.0625, 0.025)), ("right", (0.0, -0.31, 0.2)))
    ]
    into_the_tray = Motion.at_rest(0.0, np.zeros(14)).joined(
        Motion(np.array([1.0]), np.concatenate(arms)[None], np.zeros((1, 14)))
    )
    assert "tray" in node._leapfrog.guard.refusal(into_the_tray, 0.0)

    (tmp_path / "boxes.yaml").write_text("obstacles: {bin: {size: [1, 1, 0]}}")
    wrong = Parameter("obstacles", value=str(tmp_path / "boxes.yaml"))
    other = graph.add(LeapfrogSchedulerNode(parameter_overrides=[wrong]))
    other.trigger_configure()
    assert "obstacle 'bin'" in other.failure

"""The scheduler on the wire: it engages, names what blocks it, and its last word is a stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from rclpy.parameter import Parameter  # noqa: E402
from robot_inputs import RobotInputs  # noqa: E402
from ros_graph import Graph  # noqa: E402
from scheduler_loop import FOUR, JOINTS, Loop, ends_at_rest  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import SetBool, Trigger  # noqa: E402

from dva_msgs.msg import ContextFrame, LeapfrogStatus  # noqa: E402
from dva_ros.cell.description import robot_description  # noqa: E402
from dva_ros.cell.kinematics import inverse_kinematics_down  # noqa: E402
from dva_ros.leapfrog.motion import Motion  # noqa: E402
from dva_ros.nodes.leapfrog_scheduler import LeapfrogSchedulerNode  # noqa: E402
from dva_ros.ros import qos  # noqa: E402
from dva_ros.ros.conversions import seconds_of  # noqa: E402


@pytest.fixture
def loop(graph: Graph) -> Loop:
    return Loop(graph)


def test_every_message_ends_at_rest_and_moves_in_between(loop: Loop) -> None:
    loop.engage()
    loop.graph.spin_until(lambda: len(loop.trajectories) >= 4)
    assert all(ends_at_rest(message) for message in loop.trajectories)
    assert max(abs(p.velocities[0]) for p in loop.trajectories[-1].points) > 0.1
    assert loop.statuses[-1].mode == LeapfrogStatus.MODE_ENGAGED


def test_at_half_speed_frames_are_twice_as_far_apart_and_motion_is_half_as_fast(
    graph: Graph,
) -> None:
    """The same targets for the same frames, on a grid of 0.2 s; it still stops for a camera."""
    loop = Loop(graph, shared=[Parameter("time_scaling", value=0.5)])
    frames = graph.collect(ContextFrame, "camera_context/context", qos.FRAMES)
    loop.engage()
    graph.spin_until(lambda: len(loop.trajectories) >= 5)
    stamps = [seconds_of(frame.header.stamp) for frame in frames]
    np.testing.assert_allclose(np.diff(stamps), 0.2, atol=1e-6)
    fastest = max(abs(p.velocities[0]) for p in loop.trajectories[-1].points)
    assert 0.06 < fastest < 0.1
    assert loop.statuses[-1].mode == LeapfrogStatus.MODE_ENGAGED
    assert loop.statuses[-1].refusals == 0
    loop.inputs.without.add("overhead")
    graph.spin_until(lambda: "overhead" in loop.statuses[-1].reason)


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


def _engage(graph: Graph) -> Trigger.Response:
    return graph.call(Trigger, "leapfrog_scheduler/engage", Trigger.Request())


def test_engaging_without_a_controllers_state_names_it(graph: Graph) -> None:
    """Measured joints are no substitute: how far the command is from them is not known."""
    graph.add_active(LeapfrogSchedulerNode())
    inputs = RobotInputs(graph.client)
    inputs.start()
    graph.spin(0.5)
    answer = _engage(graph)
    assert not answer.success
    assert "no state of controller joint_trajectory_controller" in answer.message


def test_engaging_a_controller_without_all_joints_names_the_missing_one(graph: Graph) -> None:
    loop = Loop(graph, groups={"joint_trajectory_controller": JOINTS[:-1]})
    answer = _engage(loop.graph)
    assert not answer.success
    assert "no controller has right_gripper" in answer.message


@pytest.fixture
def four(graph: Graph) -> Loop:
    return Loop(graph, [Parameter("controllers", value=list(FOUR))], FOUR)


def test_four_controllers_each_get_their_joints_of_the_same_motion(four: Loop) -> None:
    four.engage()
    four.graph.spin_until(lambda: all(len(sent) >= 4 for sent in four.sent.values()))
    four.graph.spin(0.2)
    assert four.emulation.refusals == []
    assert four.emulation.position["left_waist"] > 0.05
    assert len({len(sent) for sent in four.sent.values()}) == 1
    for together in zip(*four.sent.values(), strict=True):
        assert len({(m.header.stamp.sec, m.header.stamp.nanosec) for m in together}) == 1
        times = [[str(p.time_from_start) for p in message.points] for message in together]
        assert all(other == times[0] for other in times)
        assert all(ends_at_rest(message) for message in together)
        names = [name for message in together for name in message.joint_names]
        assert sorted(names) == sorted(JOINTS)


def test_a_deactivated_controller_is_named_and_needs_a_new_engagement(four: Loop) -> None:
    """A stop goes to all; reactivating it moves nothing until somebody engages again."""
    four.engage()
    four.graph.spin_until(lambda: len(four.trajectories) >= 4)
    emulated = four.emulation.controllers["right_gripper_controller"]
    emulated.deactivate()
    four.graph.spin_until(lambda: "right_gripper_controller" in four.statuses[-1].reason)
    assert not _engage(four.graph).success
    assert all(ends_at_rest(sent[-1]) for sent in four.sent.values())
    last = four.trajectories[-1]
    end = last.points[-1].time_from_start
    assert end.sec + 1e-9 * end.nanosec < 0.6
    assert four.statuses[-1].mode in (LeapfrogStatus.MODE_STOPPING, LeapfrogStatus.MODE_DISENGAGED)
    emulated.activate()
    count = len(four.trajectories)
    four.graph.spin(1.2)
    assert len(four.trajectories) == count
    assert four.statuses[-1].mode == LeapfrogStatus.MODE_DISENGAGED
    assert "right_gripper_controller has been silent" in four.statuses[-1].reason
    four.engage()
    four.graph.spin_until(lambda: len(four.trajectories) > count)


@pytest.mark.parametrize("names", [["arms", "arms"], [""]])
def test_controllers_that_make_no_sense_are_refused(graph: Graph, names: list[str]) -> None:
    node = graph.add(
        LeapfrogSchedulerNode(parameter_overrides=[Parameter("controllers", value=names)])
    )
    node.trigger_configure()
    assert "controllers" in node.failure


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

"""Several controllers as one: who has which joint, who is silent, at which rate they run."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pytest
from streams import HOME, NAMES, PERIOD_S, answer, engaged, frame, targets_after

from dva_ros.cell.controller import (
    ControllerParameters,
    Generation,
    JointState,
    JointTrajectoryController,
)
from dva_ros.leapfrog.controller_setpoint import ControllerSetpoint
from dva_ros.leapfrog.controllers import Controllers
from dva_ros.leapfrog.messages import Chunk, Mode
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.trajectory import Trajectory, TrajectoryPoint, split

GROUPS = {
    "right_arm_controller": NAMES[7:13],
    "left_arm_controller": NAMES[5::-1],
    "gripper_controller": ("left_gripper", "right_gripper"),
}


def _state(stamp: float, joints: tuple[str, ...], speed: float = 0.0) -> ControllerSetpoint:
    """Joint i of all at i + speed * stamp, written one period ahead."""
    index = np.array([NAMES.index(name) if name in NAMES else -1.0 for name in joints])
    velocities = np.full(len(joints), speed)
    positions = index + velocities * stamp
    still = np.zeros(len(joints))
    return ControllerSetpoint(
        stamp, joints, positions + PERIOD_S * velocities, positions, velocities, still
    )


def _controllers(
    groups: Mapping[str, tuple[str, ...]] = GROUPS, period_s: float = PERIOD_S
) -> Controllers:
    """Heard for ten states of each, up to time 1."""
    controllers = Controllers(tuple(groups), NAMES, LeapfrogParameters(controller_timeout_s=0.3))
    for stamp in 1.0 - period_s * np.arange(9, -1, -1):
        for name, joints in groups.items():
            controllers.heard(name, stamp, _state(stamp, joints))
    return controllers


def test_a_trajectory_is_split_by_joints_with_its_times() -> None:
    """Every part is a whole message: same stamp, same times, values of its own joints."""
    values = np.arange(4.0)
    points = (
        TrajectoryPoint(values, 0.02, 10 + values),
        TrajectoryPoint(values + 4, 0.5, 0 * values, 20 + values),
    )
    one, other = split(Trajectory(("a", "b", "c", "d"), points, 3.0), [("d", "a"), ("b", "c")])
    assert (one.joint_names, other.joint_names) == (("d", "a"), ("b", "c"))
    assert one.stamp == other.stamp == 3.0
    assert [point.time_from_start for point in other.points] == [0.02, 0.5]
    np.testing.assert_array_equal(one.points[0].positions, [3, 0])
    np.testing.assert_array_equal(one.points[0].velocities, [13, 10])
    np.testing.assert_array_equal(other.points[1].positions, [5, 6])
    np.testing.assert_array_equal(other.points[1].accelerations, [21, 22])
    assert other.points[0].accelerations is None


@pytest.mark.parametrize("groups", [[("a",)], [("a", "b"), ("b",)], [("a", "b", "c")]])
def test_groups_that_are_not_every_joint_once_split_nothing(
    groups: list[tuple[str, ...]],
) -> None:
    """A joint that got no motion, or two, would be worse than an error."""
    point = TrajectoryPoint(np.zeros(2), 0.1)
    with pytest.raises(ValueError, match="once"):
        split(Trajectory(("a", "b"), (point,)), groups)


def test_states_of_several_controllers_are_what_one_would_say() -> None:
    """All joints in our order, at one time, though the states are of different times."""
    controllers = _controllers()
    assert controllers.check(1.0) == ""
    right, left, grippers = GROUPS
    assert controllers.heard(left, 1.05, _state(1.05, GROUPS[left], 2.0)) is None
    assert controllers.heard(left, 1.06, _state(1.06, GROUPS[left], 2.0)) is None
    assert controllers.heard(right, 1.06, _state(1.06, GROUPS[right], 2.0)) is None
    together = controllers.heard(grippers, 1.07, _state(1.07, GROUPS[grippers], 2.0))
    assert together is not None
    time, positions = together
    assert time == 1.07
    np.testing.assert_allclose(positions, np.arange(14) + 2.0 * 1.07)
    assert controllers.heard(left, 1.08, _state(1.08, GROUPS[left], 2.0)) is None
    q, v, a = controllers.commanded(1.1)
    np.testing.assert_allclose(q, np.arange(14) + 2.0 * 1.1)
    np.testing.assert_allclose(v, 2.0)
    np.testing.assert_allclose(a, 0.0)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"gripper_controller": ("left_gripper",)}, "no controller has right_gripper"),
        ({"gripper_controller": NAMES[6:8]}, "right_waist is in controller right_arm_controller"),
        ({"left_arm_controller": (*NAMES[:6], "lift")}, "left_arm_controller has joint lift"),
        ({"left_arm_controller": (*NAMES[:6], NAMES[0])}, "left_waist is in controller left_arm"),
    ],
)
def test_joints_missing_doubled_or_unknown_are_named_before_engaging(
    changed: dict[str, tuple[str, ...]], what: str
) -> None:
    """The controllers are not those of this cell: no motion goes out."""
    assert what in _controllers({**GROUPS, **changed}).check(1.0)


def test_a_controller_that_was_never_heard_is_named() -> None:
    """What it would do is not known: it is not engaged, also not from measured joints."""
    controllers = Controllers(tuple(GROUPS), NAMES, LeapfrogParameters(controller_timeout_s=0.3))
    for name in ("right_arm_controller", "gripper_controller"):
        for stamp in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06):
            assert controllers.heard(name, stamp, _state(stamp, GROUPS[name])) is None
    assert "no state of controller left_arm_controller" in controllers.check(0.06)
    controllers.heard("left_arm_controller", 0.06, _state(0.06, GROUPS["left_arm_controller"]))
    assert "left_arm_controller: too few states" in controllers.check(0.06)


def test_joints_that_change_end_an_engagement_and_its_stop_goes_by_the_old_ones() -> None:
    """A controller was loaded anew with another configuration."""
    controllers = _controllers()
    controllers.heard("gripper_controller", 1.01, _state(1.01, ("left_gripper",)))
    assert "right_gripper" in controllers.watch(1.02)
    stop = Trajectory(NAMES, (TrajectoryPoint(np.arange(14.0), 0.5),), 1.0)
    parts = controllers.split(stop)
    assert {name: part.joint_names for name, part in parts.items()} == GROUPS


@pytest.mark.parametrize(
    ("period_s", "note"),
    [
        (0.0101, None),
        (0.02, r"every 20\.00 ms.*10\.00 ms: right if it sends only one state in 2 updates"),
        (0.002, r"another rate.* 2\.00 ms apart, not 10\.00 ms"),
        (0.015, r"another rate.* 15\.00 ms apart, not 10\.00 ms"),
    ],
)
def test_the_rate_of_the_states_is_held_against_the_controller_period(
    period_s: float, note: str | None
) -> None:
    """Fewer states than updates are usual and cannot be told from a slow controller: warned of."""
    controllers = _controllers(period_s=period_s)
    assert controllers.check(1.0) == ""
    found = controllers.off_rate()
    if note is None:
        assert found == {}
    else:
        assert set(found) == set(GROUPS)
        assert re.search(note, found["left_arm_controller"])
    for name, joints in GROUPS.items():
        controllers.heard(name, 3.0, _state(3.0, joints))
    assert controllers.off_rate() == found


def test_a_silent_controller_is_named_and_only_after_the_timeout() -> None:
    """0.3 s here, whatever the others do."""
    controllers = _controllers()
    for tick in range(1, 40):
        now = 1.005 + 0.01 * tick
        for name in ("right_arm_controller", "gripper_controller"):
            controllers.heard(name, now, _state(now, GROUPS[name]))
        fault = controllers.watch(now)
        assert ("left_arm_controller has been silent" in fault) == (tick >= 30)


def test_states_that_wait_while_this_process_was_away_are_no_silence() -> None:
    """After a pause the timer may run before the states are heard; a real silence is seen soon."""
    controllers = _controllers()
    controllers.watch(1.0)
    assert controllers.watch(4.0) == ""
    assert "silent" in controllers.check(4.0)
    for name, joints in GROUPS.items():
        controllers.heard(name, 4.0, _state(3.99, joints))
    assert controllers.watch(8.0) == ""
    assert controllers.watch(8.1) == ""
    assert "silent" in controllers.watch(8.2)
    for name, joints in GROUPS.items():
        controllers.heard(name, 8.9, _state(8.9, joints))
    assert controllers.watch(9.0) == ""


class _Cell:
    """Emulated controllers of `GROUPS` that tell the scheduler's side what they command."""

    def __init__(self) -> None:
        parameters = ControllerParameters(interpolate_from_desired_state=True)
        self.controllers = Controllers(
            tuple(GROUPS), NAMES, LeapfrogParameters(controller_timeout_s=0.3)
        )
        self.emulated = {
            name: JointTrajectoryController(joints, Generation.JAZZY, parameters)
            for name, joints in GROUPS.items()
        }
        self.position = dict(zip(NAMES, HOME, strict=True))

    def send(self, trajectory: Trajectory, now: float) -> None:
        for name, part in self.controllers.split(trajectory).items():
            assert self.emulated[name].submit(part, now) is None

    def update(self, now: float) -> list[tuple[float, np.ndarray]]:
        """One period; what the controllers said that they command together."""
        said = []
        for name, controller in self.emulated.items():
            joints, still = GROUPS[name], np.zeros(len(GROUPS[name]))
            measured = np.array([self.position[joint] for joint in joints])
            output = controller.update(now, JointState(measured, still))
            self.position.update(zip(joints, output, strict=True))
            state = controller.state
            if controller.active and state is not None:
                velocities = state.reference.velocities
                moving = still if velocities is None else velocities
                heard = ControllerSetpoint(
                    now, joints, output, state.reference.positions, moving, still
                )
                said.append(self.controllers.heard(name, now, heard))
        return [together for together in said if together is not None]


def test_a_deactivated_controller_ends_the_engagement_and_nothing_resumes_by_itself() -> None:
    """The others stop smoothly at once; the reactivated one stands until the next engagement."""
    cell, leapfrog = _Cell(), engaged()
    due: list[tuple[int, Chunk]] = []
    sent, commands = [], []
    for tick in range(300):
        now = tick * PERIOD_S
        if tick == 120:
            cell.emulated["left_arm_controller"].deactivate()
        if tick == 200:
            cell.emulated["left_arm_controller"].activate()
        decisions = [leapfrog.on_commanded(now, *together) for together in cell.update(now)]
        commands.append([cell.position[joint] for joint in NAMES])
        leapfrog.on_joint_states(now, leapfrog.state.motion.sample(now)[0])
        decisions += [leapfrog.accept(chunk, now) for arrival, chunk in due if arrival == tick]
        if tick % 10 == 0:
            request = leapfrog.on_frame(frame(tick // 10), now).request
            if request is not None:
                chunk = answer(request, targets_after(request.frame_index, 1.5))
                due.append((tick + 20, chunk))
        if tick % 5 == 0 and tick > 10:
            fault = cell.controllers.watch(now)
            if fault and leapfrog.state.engaged:
                decisions.append(leapfrog.disengage(now, fault))
        for decision in decisions:
            if decision.trajectory is not None:
                cell.send(decision.trajectory, now)
                sent.append(tick)

    speed = np.abs(np.diff(np.array(commands), axis=0)) / PERIOD_S
    left = [NAMES.index(joint) for joint in GROUPS["left_arm_controller"]]
    assert speed[100:118].max() > 0.3
    assert speed[121:, left].max() == 0.0
    assert leapfrog.state.mode == Mode.DISENGAGED
    assert "left_arm_controller has been silent for 0." in leapfrog.state.reason
    assert 150 <= sent[-1] <= 155
    assert speed[sent[-1] : sent[-1] + 20].max() > 0.3
    assert speed[sent[-1] + 60 :].max() == 0.0
    assert cell.controllers.check(299 * PERIOD_S) == ""

"""Which messages the controller refuses, with which reason, and which it does not check."""

from __future__ import annotations

import numpy as np
import pytest

from dva_ros.cell.controller import (
    ControllerParameters,
    Generation,
    JointState,
    JointTrajectoryController,
)
from dva_ros.trajectory import Trajectory, TrajectoryPoint

JOINTS = ("a", "b")
HOME = JointState(np.array([0.1, -0.2]))
NEWER = [generation for generation in Generation if generation is not Generation.FIRST_4]


def controller(generation: Generation, **parameters: bool) -> JointTrajectoryController:
    """A controller that already holds HOME at 10 s."""
    made = JointTrajectoryController(
        JOINTS, generation, ControllerParameters(("position",), **parameters)
    )
    made.update(10.0, HOME)
    return made


def point(
    time: float,
    positions: list[float] | None,
    velocities: list[float] | None = None,
    accelerations: list[float] | None = None,
) -> TrajectoryPoint:
    """A waypoint from lists."""
    arrays = [None if v is None else np.array(v) for v in (positions, velocities, accelerations)]
    return TrajectoryPoint(arrays[0], time, arrays[1], arrays[2])


GOOD = point(0.5, [1.0, 2.0])
REFUSED = {
    "too few joints": (Trajectory(("a",), (point(0.5, [1.0]),)), "don't match"),
    "no joints": (Trajectory((), (GOOD,)), "don't match"),
    "unknown joint": (Trajectory(("a", "c"), (GOOD,)), "incoming joint c"),
    "moving at the end": (
        Trajectory(JOINTS, (point(0.5, [1.0, 2.0], [0.0, 0.3]),)),
        "joint b is not zero: 0.300000000000000",
    ),
    "entirely past": (Trajectory(JOINTS, (GOOD,), 9.0), "ends in the past (9.500000)"),
    "times repeat": (Trajectory(JOINTS, (GOOD, GOOD)), "points 0 and 1 is not strictly"),
    "too few positions": (Trajectory(JOINTS, (point(0.5, [1.0]),)), "positions (1) at point #0"),
    "too many velocities": (
        Trajectory(JOINTS, (point(0.5, [1.0, 2.0], [0.0] * 3),)),
        "velocities (3) at point #0",
    ),
    "too few accelerations": (
        Trajectory(JOINTS, (GOOD, point(0.6, [1.0, 2.0], [0.0] * 2, [0.0]))),
        "accelerations (1) at point #1",
    ),
    "no positions": (Trajectory(JOINTS, (point(0.5, None, [0.0, 0.0]),)), "positions (0)"),
    "no points": (Trajectory(JOINTS, ()), "points"),
    "negative stamp": (Trajectory(JOINTS, (GOOD,), -1.0), "negative"),
}


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("name", REFUSED)
def test_refuses_with_a_reason(name: str, generation: Generation) -> None:
    """The reason names what the real log line names, and the old motion goes on."""
    trajectory, reason = REFUSED[name]
    tested = controller(generation)
    assert reason in (tested.submit(trajectory, 10.0) or "")
    np.testing.assert_array_equal(tested.update(10.01, HOME), HOME.positions)


def test_empty_names_are_refused_where_partial_goals_are_allowed() -> None:
    """`allow_partial_joints_goal` does not allow no joints at all."""
    tested = controller(Generation.JAZZY, allow_partial_joints_goal=True)
    assert "no joint names" in (tested.submit(Trajectory((), (GOOD,)), 10.0) or "")


def test_first_version_sums_the_times_for_the_end() -> None:
    """4.0.0 takes the sum of all times for the end, so it accepts what is over and jumps."""
    points = (point(0.2, [1.0, 1.0]), point(0.4, [2.0, 2.0]), point(0.6, [3.0, 3.0]))
    over = Trajectory(JOINTS, points, 9.0)
    first, later = controller(Generation.FIRST_4), controller(Generation.JAZZY)
    assert first.submit(over, 10.0) is None
    np.testing.assert_array_equal(first.update(10.01, HOME), [3.0, 3.0])
    assert "in the past" in (later.submit(over, 10.0) or "")


def test_end_velocity_is_compared_with_zero_or_with_epsilon() -> None:
    """4.0.0 refuses any velocity at the end, later versions only above float32's epsilon."""
    nearly_still = Trajectory(JOINTS, (point(0.5, [1.0, 2.0], [1e-8, 0.0]),))
    assert controller(Generation.FIRST_4).submit(nearly_still, 10.0) is not None
    assert controller(Generation.JAZZY).submit(nearly_still, 10.0) is None


def test_first_version_accepts_no_points_and_stays() -> None:
    """4.0.0 does not check for points: nothing is sampled and the command stays."""
    tested = controller(Generation.FIRST_4, allow_nonzero_velocity_at_trajectory_end=True)
    assert tested.submit(Trajectory(JOINTS, ()), 10.0) is None
    np.testing.assert_array_equal(tested.update(10.01, HOME), HOME.positions)
    assert tested.submit(Trajectory(JOINTS, (point(0.0, [1.0, 2.0]),)), 10.01) is None
    np.testing.assert_array_equal(tested.update(10.02, HOME), [1.0, 2.0])


@pytest.mark.parametrize("generation", Generation)
def test_nan_is_not_checked(generation: Generation) -> None:
    """NaN positions are accepted and reach the command, as with the real controller."""
    tested = controller(generation)
    assert tested.submit(Trajectory(JOINTS, (point(0.0, [np.nan, 2.0]),)), 10.0) is None
    np.testing.assert_array_equal(tested.update(10.01, HOME), [np.nan, 2.0])


@pytest.mark.parametrize("generation", Generation)
def test_repeated_names_are_not_checked(generation: Generation) -> None:
    """The last column of a repeated joint counts; the missing one gets what was last sorted.

    6.9.0 installs its own hold point without sorting it, so nothing but zero was there.
    """
    left_over = 0.0 if generation is Generation.ROLLING_6_9 else HOME.positions[1]
    tested = controller(generation)
    assert tested.submit(Trajectory(("a", "a"), (point(0.0, [0.3, 0.4]),)), 10.0) is None
    np.testing.assert_array_equal(tested.update(10.01, HOME), [0.4, left_over])


@pytest.mark.parametrize("generation", NEWER)
def test_accelerations_without_velocities_command_zero(generation: Generation) -> None:
    """No spline is defined for them: the real controller's output is then all zeros."""
    tested = controller(generation)
    points = (
        point(0.0, [1.0, 2.0], None, [0.0, 0.0]),
        point(0.5, [1.0, 2.0], None, [0.0, 0.0]),
    )
    assert tested.submit(Trajectory(JOINTS, points), 10.0) is None
    np.testing.assert_array_equal(tested.update(10.01, HOME), [0.0, 0.0])


def test_inactive_topic_is_silent_and_action_is_refused() -> None:
    """A valid topic message to an inactive controller vanishes; a goal is refused."""
    tested = controller(Generation.JAZZY)
    tested.deactivate()
    assert tested.submit(Trajectory(JOINTS, (GOOD,)), 10.0) is None
    assert "not running" in (tested.submit(Trajectory(JOINTS, (GOOD,)), 10.0, "action") or "")
    tested.activate()
    for step in range(100):
        command = tested.update(10.0 + 0.01 * step, HOME)
    np.testing.assert_array_equal(command, HOME.positions)


def test_what_no_message_can_hold_is_an_error() -> None:
    """A time that is not finite never reaches the checks."""
    with pytest.raises(ValueError, match="finite"):
        controller(Generation.JAZZY).submit(Trajectory(JOINTS, (point(np.nan, [1, 2]),)), 10.0)

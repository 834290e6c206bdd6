"""Holding, reporting, and streaming on every generation."""

from __future__ import annotations

import time

import numpy as np
import pytest

from dva_ros.cell.controller import (
    ControllerParameters,
    Generation,
    JointState,
    JointTrajectoryController,
)
from dva_ros.trajectory import Trajectory, TrajectoryPoint

PERIOD = 0.01
MOVE = Trajectory(("a",), (TrajectoryPoint(np.array([1.0]), 0.5, np.array([0.0])),))


def single(generation: Generation, **parameters: object) -> JointTrajectoryController:
    """A controller of one joint."""
    settings: dict[str, object] = {"state_interfaces": ("position",), **parameters}
    return JointTrajectoryController(("a",), generation, ControllerParameters(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("generation", Generation)
def test_holds_the_first_measured_position(generation: Generation) -> None:
    """Without a trajectory the command stays where the robot was, also if it then sags."""
    tested = single(generation)
    assert tested.state is None
    for step in range(5):
        command = tested.update(step * PERIOD, JointState(np.array([0.3 - 0.01 * step])))
        np.testing.assert_array_equal(command, [0.3])


@pytest.mark.parametrize("generation", Generation)
def test_reactivation_holds_the_last_command(generation: Generation) -> None:
    """The command stays while inactive, and is what is held afterwards."""
    tested = single(generation)
    tested.update(10.0, JointState(np.array([0.3])))
    tested.submit(MOVE, 10.0)
    for step in range(1, 21):
        moved = tested.update(10.0 + step * PERIOD, JointState(np.array([0.3])))
    tested.deactivate()
    np.testing.assert_array_equal(tested.update(10.5, JointState(np.array([0.3]))), moved)
    tested.activate()
    np.testing.assert_array_equal(tested.update(10.51, JointState(np.array([0.3]))), moved)


def test_reports_its_state() -> None:
    """Reference, feedback, error and output of the last update; the output is one period ahead."""
    tested = single(Generation.JAZZY)
    tested.update(10.0, JointState(np.array([0.0])))
    tested.submit(MOVE, 10.0)
    for step in range(1, 12):
        tested.update(10.0 + step * PERIOD, JointState(np.array([0.01])))
    state = tested.state
    assert state is not None
    assert state.time == pytest.approx(10.11)
    assert state.reference_time_from_start == pytest.approx(0.10)
    np.testing.assert_array_equal(state.feedback.positions, [0.01])
    np.testing.assert_allclose(state.error.positions, state.reference.positions - 0.01)
    tested.update(10.12, JointState(np.array([0.01])))
    following = tested.state
    assert following is not None
    np.testing.assert_array_equal(following.reference.positions, state.output)


def test_wrong_measurement_is_an_error() -> None:
    """A missing state interface or another number of joints is named."""
    tested = single(Generation.JAZZY, state_interfaces=("position", "velocity"))
    with pytest.raises(ValueError, match="no velocity"):
        tested.update(0.0, JointState(np.zeros(1)))
    with pytest.raises(ValueError, match="must hold 1 joints"):
        tested.update(0.0, JointState(np.zeros(2), np.zeros(1)))


@pytest.mark.parametrize(
    ("generation", "replacement"),
    [(generation, False) for generation in Generation] + [(Generation.ROLLING_6_9, True)],
)
def test_stream_along_the_commanded_motion_is_continuous(
    generation: Generation, replacement: bool
) -> None:
    """Stamped with true times and starting at a point already passed, messages join exactly.

    The joint follows a sine; messages arrive at uneven times, each holds the sine from before
    its arrival on. Where master splices instead, every such message would play late.
    """

    def sine(t: float) -> TrajectoryPoint:
        return TrajectoryPoint(np.array([np.sin(t)]), t, np.array([np.cos(t)]))

    tested = single(
        generation,
        allow_trajectory_replacement=replacement,
        allow_nonzero_velocity_at_trajectory_end=True,
    )
    random = np.random.default_rng(0)
    measured = np.sin(np.array([10.0]))
    commands = []
    arrival = 10.0
    for step in range(500):
        now = 10.0 + step * PERIOD
        if now >= arrival + 0.001:
            start = round(arrival, 1) - 0.1
            points = [sine(start + 0.1 * index) for index in range(9)]
            shifted = tuple(
                TrajectoryPoint(p.positions, p.time_from_start - start, p.velocities)
                for p in points
            )
            assert tested.submit(Trajectory(("a",), shifted, start), now) is None
            arrival = now + random.uniform(0.2, 0.4)
        command = tested.update(now, JointState(measured))
        measured = measured + 0.35 * (command - measured)
        commands.append(command[0])
    velocities = np.diff(commands[20:]) / PERIOD
    assert np.max(np.abs(np.diff(velocities))) < 1.2 * PERIOD


def test_fourteen_joints_are_cheap() -> None:
    """An update costs well below the 0.1 ms that accelerated simulation can spare (CPU time)."""
    joints = tuple(f"joint_{index}" for index in range(14))
    tested = JointTrajectoryController(joints, Generation.MASTER, ControllerParameters())
    measured = JointState(np.zeros(14, np.float32), np.zeros(14, np.float32))
    points = tuple(
        TrajectoryPoint(np.full(14, 0.1 * n), 0.1 * n, np.full(14, 0.0 if n == 20 else 1.0))
        for n in range(1, 21)
    )
    tested.update(0.0, measured)
    tested.submit(Trajectory(joints, points), 0.0)
    started = time.process_time()
    for step in range(1, 2001):
        tested.update(step * PERIOD, measured)
    assert (time.process_time() - started) / 2000 < 100e-6

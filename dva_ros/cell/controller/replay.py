"""Replaying a traced scenario through the emulation, and how far it deviates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dva_ros.trajectory import Trajectory, TrajectoryPoint

from .controller import JointTrajectoryController
from .generation import Generation
from .message import NANOSECONDS, Waypoint, to_nanoseconds
from .playback import Playback
from .state import JointState
from .trace_file import Installed, Plant, Scenario, Tolerances, Trace, TraceFile

_TIME_TOLERANCE_S = 1e-9


@dataclass(frozen=True)
class Deviation:
    """Greatest absolute differences from the trace, and what differs in kind.

    Attributes:
        position: rad; reference and installed trajectories.
        velocity: rad/s; likewise.
        acceleration: rad/s²; likewise.
        command: rad; None where the trace has no command.
        accepted: the same messages were accepted.
        installed: what differs in the installed trajectories, None where nothing does.
    """

    position: float
    velocity: float
    acceleration: float
    command: float | None
    accepted: bool
    installed: str | None

    def within(self, tolerances: Tolerances) -> bool:
        """Everything is equal up to the tolerances."""
        return (
            self.accepted
            and self.installed is None
            and self.position <= tolerances.position
            and self.velocity <= tolerances.velocity
            and self.acceleration <= tolerances.acceleration
            and (self.command is None or self.command <= tolerances.position)
        )


def replay(file: TraceFile, scenario: Scenario, version: str) -> Deviation:
    """Run one scenario and compare; raises `UserError` for a version that is not emulated."""
    generation = Generation.parse(version)
    controller = JointTrajectoryController(file.joints, generation, scenario.parameters)
    plant = _PlantSimulation(scenario.plant, file.period)
    steps, trace = scenario.steps, scenario.traces[version]
    reference = np.full((3, len(file.joints), steps), np.nan)
    command = np.full((len(file.joints), steps), np.nan)
    accepted: dict[int, bool] = {}
    installed: list[tuple[int, Playback]] = []
    for step in range(steps):
        now_ns = to_nanoseconds(scenario.start) + step * to_nanoseconds(file.period)
        now = now_ns / NANOSECONDS
        for index, message in enumerate(scenario.messages):
            if index in accepted or to_nanoseconds(message.arrives) > now_ns:
                continue
            reason = controller.submit(message.trajectory, message.arrives, message.interface)
            accepted[index] = reason is None
        command[:, step] = controller.update(now, plant.measure(now))
        plant.follow(command[:, step])
        playback, state = controller.playback, controller.state
        if playback is not None and (not installed or playback is not installed[-1][1]):
            installed.append((step, playback))
        if state is not None:
            reference[0, :, step] = state.reference.positions
            reference[1, :, step] = state.reference.velocities
            reference[2, :, step] = state.reference.accelerations
    return _compare(file, scenario, trace, reference, command, accepted, installed)


class _PlantSimulation:
    """The measured state, as the trace file describes it."""

    def __init__(self, plant: Plant, period: float) -> None:
        self._plant, self._period = plant, period
        self._positions, self._velocities = plant.positions, plant.velocities

    def measure(self, now: float) -> JointState:
        if self._plant.kind == "fixed" and now >= self._plant.then_from - _TIME_TOLERANCE_S:
            self._positions = self._plant.then_positions
        return JointState(self._positions, self._velocities, self._plant.accelerations)

    def follow(self, command: np.ndarray) -> None:
        if self._plant.kind == "lag":
            change = self._plant.gain * (command - self._positions)
            self._velocities = change / self._period
            self._positions = self._positions + change
        elif self._plant.kind == "offset":
            self._positions = command + self._plant.offset


def _compare(
    file: TraceFile,
    scenario: Scenario,
    trace: Trace,
    reference: np.ndarray,
    command: np.ndarray,
    accepted: dict[int, bool],
    installed: list[tuple[int, Playback]],
) -> Deviation:
    greatest = {
        "positions": _difference(reference[0], trace.position),
        "velocities": _difference(reference[1], trace.velocity),
        "accelerations": _difference(reference[2], trace.acceleration),
    }
    problem = None
    if [step for step, _ in installed] != [item.step for item in trace.installed]:
        problem = (
            f"installed in steps {[step for step, _ in installed]} instead of "
            f"{[item.step for item in trace.installed]}"
        )
    else:
        for item, (_, playback) in zip(trace.installed, installed, strict=True):
            problem = problem or _installed_problem(file, scenario, item, playback, greatest)
    return Deviation(
        position=greatest["positions"],
        velocity=greatest["velocities"],
        acceleration=greatest["accelerations"],
        command=None if trace.command is None else _difference(command, trace.command),
        accepted=accepted == dict(enumerate(trace.accepted)),
        installed=problem,
    )


def _installed_problem(
    file: TraceFile,
    scenario: Scenario,
    item: Installed,
    playback: Playback,
    greatest: dict[str, float],
) -> str | None:
    where = f"step {item.step}"
    source = None if item.message is None else scenario.messages[item.message].trajectory
    if playback.message.source is not source:
        return f"{where}: another message"
    before = playback.before
    if before is None:
        return f"{where}: never sampled"
    for name, seconds, nanoseconds in (
        ("start", item.start, playback.start_ns),
        ("before_time", item.before_time, playback.before_ns),
    ):
        if abs(seconds - nanoseconds / NANOSECONDS) > _TIME_TOLERANCE_S:
            return f"{where}: {name} {nanoseconds / NANOSECONDS} instead of {seconds}"
    expected = item.points
    if expected is None:
        assert source is not None
        expected = _in_order(source, file.joints)
    points = playback.points
    if len(points) != len(expected):
        return f"{where}: {len(points)} points instead of {len(expected)}"
    pairs = [(item.before, before), *zip(expected, points, strict=True)]
    for index, (point, followed) in enumerate(pairs):
        name = f"{where}, point {index - 1}" if index else f"{where}, before"
        problem = _point_problem(point, followed, greatest)
        if problem is not None:
            return f"{name}: {problem}"
    return None


def _point_problem(
    expected: TrajectoryPoint, followed: Waypoint, greatest: dict[str, float]
) -> str | None:
    if abs(expected.time_from_start - followed.time_ns / NANOSECONDS) > _TIME_TOLERANCE_S:
        return f"at {followed.time_ns / NANOSECONDS} s instead of {expected.time_from_start} s"
    for field in ("positions", "velocities", "accelerations"):
        wanted, values = getattr(expected, field), getattr(followed, field)
        if (wanted is None) != (values is None):
            return f"{field} {'missing' if values is None else 'present'}"
        if wanted is not None:
            greatest[field] = max(greatest[field], _difference(values, wanted))
    return None


def _in_order(trajectory: Trajectory, joints: tuple[str, ...]) -> tuple[TrajectoryPoint, ...]:
    if set(trajectory.joint_names) != set(joints):
        return trajectory.points
    columns = [trajectory.joint_names.index(joint) for joint in joints]

    def ordered(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[columns]

    return tuple(
        TrajectoryPoint(
            ordered(point.positions),
            point.time_from_start,
            ordered(point.velocities),
            ordered(point.accelerations),
        )
        for point in trajectory.points
    )


def _difference(values: np.ndarray, expected: np.ndarray) -> float:
    """Greatest absolute difference; infinite where shapes or the places of NaN differ."""
    if values.shape != expected.shape or not np.array_equal(np.isnan(values), np.isnan(expected)):
        return float("inf")
    same = (values == expected) | np.isnan(values)
    with np.errstate(invalid="ignore"):
        differences = np.where(same, 0.0, np.abs(values - expected))
    return float(np.max(differences, initial=0.0))

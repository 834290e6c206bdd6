"""What the joints were commanded, from what controllers said or were sent."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..cell.controller.interpolation import Segment
from ..cell.controller.message import Waypoint, to_nanoseconds
from ..trajectory import Trajectory

GREATEST_GAP_S = 0.5
"""Between two states of a controller; beyond it its command is not known."""


@dataclass
class _States:
    """The commands of one set of joints; `columns` are their places in the cell's order."""

    columns: np.ndarray
    rows: np.ndarray
    stamps: list[float] = field(default_factory=list)
    positions: list[np.ndarray] = field(default_factory=list)

    def at(self, times: np.ndarray) -> np.ndarray:
        """Linear between states; NaN where none is near. float64 [T, columns]."""
        stamps, positions = np.array(self.stamps), np.stack(self.positions)
        order = np.argsort(stamps, kind="stable")
        stamps, positions = stamps[order], positions[order]
        after = np.clip(np.searchsorted(stamps, times), 1, max(1, len(stamps) - 1))
        low, high = stamps[after - 1], stamps[np.minimum(after, len(stamps) - 1)]
        near = np.minimum(np.abs(times - low), np.abs(times - high)) <= GREATEST_GAP_S
        found = np.stack([np.interp(times, stamps, column) for column in positions.T], axis=1)
        found[~near] = np.nan
        return found


@dataclass(frozen=True)
class _Motion:
    """A trajectory from its start on."""

    start_s: float
    columns: np.ndarray
    waypoints: list[Waypoint]

    def at(self, time_s: float) -> np.ndarray:
        """float64 [columns]; its first point before that, its last one after its end."""
        elapsed = to_nanoseconds(max(0.0, time_s - self.start_s))
        number = bisect_right(self.waypoints, elapsed, key=lambda point: point.time_ns)
        if number == 0 or number == len(self.waypoints):
            return self.waypoints[min(number, len(self.waypoints) - 1)].positions
        before, after = self.waypoints[number - 1], self.waypoints[number]
        segment = Segment(before, after, after.time_ns - before.time_ns)
        positions: np.ndarray = segment.at(elapsed - before.time_ns)[0]
        return positions


class CommandTrack:
    """Collects commands; controllers may have a part of the joints each.

    Args:
        joint_names: the cell's joints, in order.
    """

    def __init__(self, joint_names: Sequence[str]) -> None:
        self._place = {name: place for place, name in enumerate(joint_names)}
        self._states: dict[tuple[str, ...], _States] = {}
        self._motions: list[_Motion] = []

    def add_state(self, stamp: float, names: Sequence[str], positions: np.ndarray) -> bool:
        """Take what a controller commands; False where it is not finite or not one a joint."""
        if len(positions) != len(names) or not np.isfinite(positions).all():
            return False
        key = tuple(names)
        if key not in self._states:
            self._states[key] = _States(*self._columns(key))
        series = self._states[key]
        if len(series.columns):
            series.stamps.append(stamp)
            series.positions.append(np.asarray(positions, np.float64)[series.rows])
        return True

    def add_trajectory(self, trajectory: Trajectory, arrival: float) -> bool:
        """Take what a controller was sent; False where it holds nothing that can be used."""
        columns, rows = self._columns(trajectory.joint_names)
        waypoints = []
        for point in trajectory.points:
            if point.positions is None or len(point.positions) != len(trajectory.joint_names):
                return False
            velocities = point.velocities
            if velocities is not None:
                velocities = velocities[rows]
            waypoint = Waypoint(
                point.positions[rows], velocities, None, to_nanoseconds(point.time_from_start)
            )
            if not np.isfinite(waypoint.positions).all():
                return False
            waypoints.append(waypoint)
        if not waypoints or not len(columns):
            return False
        start = trajectory.stamp or arrival
        before = self._sent(np.array([start]))[0, columns]
        if waypoints[0].time_ns > 0 and np.isfinite(before).all():
            # As the controller does: from where its command is now to the first point.
            waypoints.insert(0, Waypoint(before, None, None, 0))
        self._motions.append(_Motion(start, columns, waypoints))
        return True

    def forget_before(self, time: float) -> None:
        """Drop what says nothing of `time` and later."""
        for series in self._states.values():
            keep = max(0, bisect_right(series.stamps, time) - 1)
            del series.stamps[:keep], series.positions[:keep]
        begun = [motion for motion in self._motions if motion.start_s <= time]
        last: dict[tuple[int, ...], _Motion] = {
            tuple(motion.columns.tolist()): motion for motion in begun
        }
        later = [motion for motion in self._motions if motion.start_s > time]
        self._motions = [*last.values(), *later]

    def at(self, times: Sequence[float]) -> np.ndarray:
        """Commands at these times, float64 [T, J]; NaN where nothing says what they were.

        States of controllers count before trajectories that were sent.
        """
        asked = np.asarray(times, np.float64)
        found = self._sent(asked)
        for series in self._states.values():
            if series.stamps:
                commanded = series.at(asked)
                known = ~np.isnan(commanded)
                part = found[:, series.columns]
                part[known] = commanded[known]
                found[:, series.columns] = part
        return found

    def _sent(self, times: np.ndarray) -> np.ndarray:
        found = np.full((len(times), len(self._place)), np.nan)
        motions = sorted(self._motions, key=lambda motion: motion.start_s)
        for row, time in enumerate(times):
            for motion in motions[: bisect_right(motions, time, key=lambda m: m.start_s)][-16:]:
                found[row, motion.columns] = motion.at(time)
        return found

    def _columns(self, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Places in the cell's order, and in the message, of the joints that both have."""
        pairs = [(self._place[n], row) for row, n in enumerate(names) if n in self._place]
        columns = np.array([column for column, _ in pairs], np.intp)
        return columns, np.array([row for _, row in pairs], np.intp)

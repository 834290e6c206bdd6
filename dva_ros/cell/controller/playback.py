"""A message that is being followed: where it is at a time."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from .generation import Generation
from .interpolation import Segment
from .message import Message, Waypoint

_BEFORE_FIRST = -1


class Sample(NamedTuple):
    """The reference at one time.

    Attributes:
        positions, velocities, accelerations: read-only float64 [joints]. A constant point that
            is held after the end keeps the velocities and accelerations that it was sent with.
        segment: index of the waypoint at the segment's start, -1 before the first.
        ended: the last waypoint is reached.
    """

    positions: np.ndarray
    velocities: np.ndarray
    accelerations: np.ndarray
    segment: int
    ended: bool


class Playback:
    """Samples one message, from the state before it through its points to its end, and holds."""

    def __init__(self, message: Message, generation: Generation) -> None:
        self.message = message
        self.points = tuple(message.points)
        self.before: Waypoint | None = None
        self._initial: Waypoint | None = None
        self.before_ns = 0
        self.start_ns = message.stamp_ns
        self._generation = generation
        self._times = [point.time_ns for point in self.points]
        self._segments: dict[int, Segment] = {}
        self._search_from = 0
        self._ahead: tuple[int, Sample] | None = None

    @property
    def begun(self) -> bool:
        """The state before the message is known, so that it can be sampled."""
        return self.before is not None

    def begin(self, now_ns: int, before: Waypoint, before_ns: int) -> None:
        """Set the state that the motion to the first point starts from; start if unstamped."""
        self.before, self.before_ns = before, before_ns
        points = self.points
        if self._generation.fills_absent_derivatives:
            zeros = np.zeros_like(before.positions)
            if before.velocities is None and points[0].velocities is not None:
                before = before._replace(velocities=zeros)
            if before.accelerations is None and points[0].accelerations is not None:
                before = before._replace(accelerations=zeros)
        self._initial = before
        if self.start_ns == 0:
            self.start_ns = now_ns

    def reference(self, now_ns: int) -> Sample | None:
        """The reference now; later calls do not look before its segment again.

        None where there is nothing to follow: no points, or a time before the motion's start.
        """
        if self._ahead is not None and self._ahead[0] == now_ns:
            sample: Sample | None = self._ahead[1]
        else:
            sample = self.look(now_ns)
        if (
            sample is not None
            and sample.segment != _BEFORE_FIRST
            and self._generation.searches_forward_only
        ):
            self._search_from = sample.segment
        return sample

    def setpoint(self, ahead_ns: int) -> Sample | None:
        """The reference at the next update, kept for that update."""
        sample = self.look(ahead_ns)
        if sample is not None:
            self._ahead = (ahead_ns, sample)
            if sample.ended and self._generation.look_ahead_ends_search:
                self._search_from = sample.segment
        return sample

    def look(self, time_ns: int) -> Sample | None:
        """The reference at any time, without moving on."""
        if not self._times or self._initial is None or time_ns < self.before_ns:
            return None
        elapsed_ns = time_ns - self.start_ns
        if elapsed_ns < self._times[0]:
            first_ns = self.start_ns + self._times[0]
            segment = self._segment(
                _BEFORE_FIRST, self._initial, self.points[0], first_ns - self.before_ns
            )
            return _moving(segment.at(time_ns - self.before_ns), _BEFORE_FIRST)
        last = len(self._times) - 1
        index = bisect_right(self._times, elapsed_ns) - 1
        if not self._search_from <= index < last:
            return _held(self.points[last], last)
        start_ns, end_ns = self._times[index], self._times[index + 1]
        segment = self._segment(
            index, self.points[index], self.points[index + 1], end_ns - start_ns
        )
        return _moving(segment.at(elapsed_ns - start_ns), index)

    def _segment(self, index: int, start: Waypoint, end: Waypoint, duration_ns: int) -> Segment:
        segment = self._segments.get(index)
        if segment is None:
            segment = self._segments[index] = Segment(start, end, duration_ns)
        return segment


def _moving(values: np.ndarray, segment: int) -> Sample:
    values.setflags(write=False)
    return Sample(values[0], values[1], values[2], segment, False)


def _held(point: Waypoint, index: int) -> Sample:
    zeros = np.zeros_like(point.positions)
    zeros.setflags(write=False)
    return Sample(
        point.positions,
        zeros if point.velocities is None else point.velocities,
        zeros if point.accelerations is None else point.accelerations,
        index,
        True,
    )

"""A short memory of stamped samples of one source, ordered by stamp."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Arrival(Enum):
    """What happened to a sample that arrived."""

    ACCEPTED = "accepted"
    OUT_OF_ORDER = "out of order"  # accepted, put where its stamp belongs
    DUPLICATE = "duplicate stamp"  # dropped
    FUTURE = "stamp in the future"  # dropped
    LATE = "late"  # dropped: older than anything still remembered, or than `max_age_s`


@dataclass(frozen=True)
class Sample(Generic[T]):
    """One stamped value.

    Attributes:
        stamp: seconds on the robot's clock.
        value: the payload.
    """

    stamp: float
    value: T


class StampedRing(Generic[T]):
    """The newest samples of one source, kept in order of their stamps.

    Args:
        capacity: samples kept.
        future_tolerance_s: how far a stamp may lie ahead of the clock.
        max_age_s: a sample that is older than this on arrival is late and dropped.
    """

    def __init__(self, capacity: int, future_tolerance_s: float, max_age_s: float) -> None:
        self._capacity = capacity
        self._future_tolerance_s = future_tolerance_s
        self._max_age_s = max_age_s
        self._samples: list[Sample[T]] = []
        self._period: float | None = None
        self.counts: Counter[Arrival] = Counter()

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def newest(self) -> Sample[T] | None:
        """The sample with the greatest stamp."""
        return self._samples[-1] if self._samples else None

    @property
    def period(self) -> float | None:
        """Smoothed seconds between stamps; None until two samples have come."""
        return self._period

    def clear(self) -> None:
        """Forget all samples; the counts stay."""
        self._samples.clear()
        self._period = None

    def insert(self, stamp: float, value: T, now: float) -> Arrival:
        """Take a sample that arrived at `now`; says what became of it."""
        arrival = self._classify(stamp, now)
        self.counts[arrival] += 1
        if arrival is Arrival.ACCEPTED:
            if self._samples:
                step = stamp - self._samples[-1].stamp
                self._period = step if self._period is None else 0.8 * self._period + 0.2 * step
            self._samples.append(Sample(stamp, value))
        elif arrival is Arrival.OUT_OF_ORDER:
            self._samples.insert(self._position(stamp), Sample(stamp, value))
        if len(self._samples) > self._capacity:
            del self._samples[0]
        return arrival

    def nearest(self, time: float) -> Sample[T] | None:
        """The sample whose stamp is nearest to `time`; the earlier one of two equally near."""
        if not self._samples:
            return None
        right = self._position(time)
        around = self._samples[max(0, right - 1) : right + 1]
        return min(around, key=lambda sample: abs(sample.stamp - time))

    def settled(self, time: float, slack_s: float) -> bool:
        """Whether no sample still to come can be expected to lie nearer to `time`.

        True once a sample at or after `time` is here, once the nearest one is within `slack_s`,
        or when the next one (by the source's period) will lie farther away.
        """
        nearest, newest = self.nearest(time), self.newest
        if nearest is None or newest is None:
            return False
        error = abs(nearest.stamp - time)
        if newest.stamp >= time or error <= slack_s:
            return True
        return self._period is not None and newest.stamp + 0.9 * self._period - time > error

    def _position(self, stamp: float) -> int:
        return bisect_left(self._samples, stamp, key=lambda sample: sample.stamp)

    def _classify(self, stamp: float, now: float) -> Arrival:
        if stamp > now + self._future_tolerance_s:
            return Arrival.FUTURE
        if now - stamp > self._max_age_s:
            return Arrival.LATE
        if not self._samples or stamp > self._samples[-1].stamp:
            return Arrival.ACCEPTED
        index = self._position(stamp)
        if self._samples[index].stamp == stamp:
            return Arrival.DUPLICATE
        if index == 0 and len(self._samples) == self._capacity:
            return Arrival.LATE
        return Arrival.OUT_OF_ORDER

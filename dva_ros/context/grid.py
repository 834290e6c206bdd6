"""The time grid: frame index n is time origin + n * period on the robot's clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

TOLERANCE_S = 1e-6
"""Times closer than this are the same instant."""


@dataclass(frozen=True)
class TimeGrid:
    """The frames of one session.

    Attributes:
        origin: time of frame 0 on the robot's clock, s.
        period: seconds between frames.
    """

    origin: float
    period: float

    @staticmethod
    def of_frame(index: int, stamp: float, period: float) -> TimeGrid:
        """The grid on which frame `index` has the time `stamp`."""
        return TimeGrid(stamp - index * period, period)

    def time(self, index: int) -> float:
        """Time of frame `index`, s."""
        return self.origin + index * self.period

    def first_after(self, time: float) -> int:
        """Index of the first frame that lies strictly after `time`."""
        return math.floor((time - self.origin + TOLERANCE_S) / self.period) + 1

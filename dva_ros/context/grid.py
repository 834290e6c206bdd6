"""The time grid: frame index n is time origin + n * period on the robot's clock."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class TimeGrid:
    """Frame indices and times.

    Attributes:
        origin: time of frame 0 in seconds on the robot's clock.
        period: seconds between frames.
    """

    origin: float
    period: float

    def time(self, index: int) -> float:
        """Time of frame `index` in seconds."""
        return self.origin + index * self.period

    def index_at(self, time: float) -> int:
        """The last frame whose time is not after `time` (negative before the origin).

        A rounding error of a millionth of a period does not lose a frame.
        """
        return math.floor((time - self.origin) / self.period + 1e-6)

"""The time grid: frame index n is time origin + n * period on the robot's clock."""

from __future__ import annotations

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

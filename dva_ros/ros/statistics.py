"""Percentiles over the last few hundred values."""

from __future__ import annotations

from collections import deque

import numpy as np


class RollingStatistics:
    """The newest values of one figure.

    Args:
        capacity: values kept.
    """

    def __init__(self, capacity: int = 256) -> None:
        self._values: deque[float] = deque(maxlen=capacity)
        self.count = 0

    def add(self, value: float) -> None:
        """Take a value."""
        self._values.append(value)
        self.count += 1

    def percentile(self, q: float) -> float:
        """The q-th percentile of the values kept; 0 while there are none."""
        return float(np.percentile(list(self._values), q)) if self._values else 0.0

    def summary(self) -> dict[str, str]:
        """Count, p50 and p99 in ms, for diagnostics."""
        return {
            "count": str(self.count),
            "p50 ms": f"{1e3 * self.percentile(50):.1f}",
            "p99 ms": f"{1e3 * self.percentile(99):.1f}",
        }

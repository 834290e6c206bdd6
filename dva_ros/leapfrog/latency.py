"""Measured latency from a camera's stamp to the command that it caused."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

_WINDOW = 128


@dataclass
class LatencyTracker:
    """Percentiles over the most recent samples, the first ones (cold start) left out.

    Attributes:
        cold_start: number of samples at the beginning that do not count.
        last: the newest sample, s, also while cold.
    """

    cold_start: int = 2
    last: float = 0.0
    _seen: int = 0
    _samples: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def add(self, latency_s: float) -> None:
        """Count one sample."""
        self.last = latency_s
        self._seen += 1
        if self._seen > self.cold_start:
            self._samples.append(latency_s)

    @property
    def count(self) -> int:
        """Samples that count."""
        return len(self._samples)

    def percentile(self, q: float) -> float:
        """Percentile `q` (0..100) in seconds; 0 before the first sample that counts."""
        return float(np.percentile(list(self._samples), q)) if self._samples else 0.0

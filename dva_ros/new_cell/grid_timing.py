"""The time grid and how long a frame waits for its cameras, from measured rates and latencies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .cameras import Camera

FRAME_PERIOD_S = 0.1
"""Of the shipped models."""
DELAY_MARGIN_S = 0.03
LEAST_STALE_S = 0.3


@dataclass(frozen=True)
class GridTiming:
    """Parameters that follow from the cameras; s.

    Attributes:
        frame_period_s: of the grid.
        camera_period_s: of the slowest camera.
        latency_s: p99 of the cameras; None where it was not measured.
        tolerance_s: of `camera_context`.
        max_delay_s: of `camera_context`.
        lost_after_s: of `camera_context`.
        stale_timeout_s: of `leapfrog_scheduler`.
    """

    frame_period_s: float
    camera_period_s: float
    latency_s: float | None
    tolerance_s: float
    max_delay_s: float
    lost_after_s: float
    stale_timeout_s: float

    @staticmethod
    def of(cameras: Sequence[Camera], trained_period_s: float | None) -> GridTiming:
        """The grid has 10 Hz, or as much as the slowest camera where that is slower.

        Args:
            cameras: with what was measured of them.
            trained_period_s: of a checkpoint that will be used.
        """
        timings = [camera.source.timing for camera in cameras if camera.source.timing]
        slowest = max((1 / timing.rate_hz for timing in timings), default=FRAME_PERIOD_S)
        period = trained_period_s or FRAME_PERIOD_S
        if trained_period_s is None and slowest > 1.1 * FRAME_PERIOD_S:
            period = _whole_rate(slowest)
        latency = max((timing.latency_p99_s for timing in timings), default=None)
        tolerance = min(1.0, max(0.02, _up(0.6 * slowest, 3)))
        delay = max(0.0, slowest - tolerance) + max(0.0, latency or 0.0) + DELAY_MARGIN_S
        delay = min(1.0, _up(delay, 2))
        return GridTiming(
            frame_period_s=period,
            camera_period_s=slowest,
            latency_s=latency,
            tolerance_s=tolerance,
            max_delay_s=delay,
            lost_after_s=max(0.5, _up(5 * slowest, 1)),
            stale_timeout_s=max(LEAST_STALE_S, _up(period + delay + 0.1, 2)),
        )


def _whole_rate(slowest: float) -> float:
    """The grid's period for a slowest camera's: datasets hold whole numbers of frames a second."""
    rate = max(1, math.floor(1 / slowest + 0.05))
    return round(1 / rate, 9)


def _up(value: float, digits: int) -> float:
    scale = 10.0**digits
    return math.ceil(value * scale - 1e-6) / scale

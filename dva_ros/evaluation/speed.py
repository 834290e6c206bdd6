"""How fast imagined motion is played, so that latency is no more frames than a model is good for.

A model's frames have no clock: what it imagines for one period of the grid may be played in two.
The same latency is half as many frames then, and the frames that execute lie nearer to what was
seen. Motion takes longer; it is also how policies are made faster than their demonstrations
(Arachchige et al. 2025, SAIL, arXiv 2506.11948), the other way round.
"""

from __future__ import annotations

import math

from ..cell.timing import CONTROL_PERIOD_S
from ..spec import EMBEDDED_CELL

RELIABLE_FRAMES = 2
"""Inference delay up to which the shipped models lose nothing, frames
(docs/concepts/scheduler-comparison.md)."""


def speed_for_latency(latency_s: float) -> float:
    """The greatest time_scaling at which `RELIABLE_FRAMES` cover a latency, s."""
    ticks = math.ceil(latency_s / RELIABLE_FRAMES / CONTROL_PERIOD_S - 1e-9)
    period = EMBEDDED_CELL.frame_period_s
    return min(1.0, period / (ticks * CONTROL_PERIOD_S)) if ticks else 1.0


def in_whole_ticks(time_scaling: float) -> float:
    """The nearest time_scaling at which a frame is a whole number of control periods.

    Raises:
        ValueError: not within 0 (excluded) and 1.
    """
    period = EMBEDDED_CELL.slowed(time_scaling).frame_period_s
    return EMBEDDED_CELL.frame_period_s / (round(period / CONTROL_PERIOD_S) * CONTROL_PERIOD_S)

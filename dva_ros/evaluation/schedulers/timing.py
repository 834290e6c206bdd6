"""Which timing a scheduler gets at a given latency."""

from __future__ import annotations

import math
from dataclasses import replace

from ...leapfrog.messages import RefusedError
from ...leapfrog.parameters import LeapfrogParameters
from .registry import OVERLAPPING

_P99 = 2.33
"""Standard deviations from the mean of a normal distribution to its 99th percentile."""


def p99_latency_s(latency_s: float, jitter_s: float) -> float:
    """99th percentile of a modelled latency of this mean and standard deviation."""
    return latency_s + _P99 * jitter_s


def scheduler_timing(
    name: str, base: LeapfrogParameters, latency_s: float, jitter_s: float
) -> LeapfrogParameters:
    """The timing of a scheduler at a modelled latency.

    Only those that commit motion to the time of inference depend on it.

    Raises:
        RefusedError: see `timing_for`.
    """
    if name not in OVERLAPPING:
        return base
    return timing_for(base, p99_latency_s(latency_s, jitter_s))


def timing_for(base: LeapfrogParameters, latency_s: float) -> LeapfrogParameters:
    """Commit as many frames as the latency covers, at least one; ask again no sooner than that.

    `lead_s` is not added: for so long beyond the committed frames the executing motion, which is
    the previous chunk's, is followed.

    Args:
        base: everything that does not depend on the latency.
        latency_s: greatest time from a camera's stamp to the command, s.

    Raises:
        RefusedError: H < 2d, motion would run out before the next chunk comes.
    """
    committed = max(1, math.ceil(latency_s / base.frame_period_s - 1e-9))
    if base.horizon < 2 * committed:
        raise RefusedError(
            "horizon",
            f"{1e3 * latency_s:.0f} ms of latency are d = {committed} frames of "
            f"{1e3 * base.frame_period_s:.0f} ms, and H = {base.horizon} < 2d = {2 * committed}; "
            "a smaller time_scaling makes it fewer",
        )
    execute = min(max(base.execution_horizon, committed), base.horizon - committed)
    return replace(base, inference_delay_frames=committed, execution_horizon=execute)

"""How many frames must be committed, and how many denoising steps there is time for."""

from __future__ import annotations

import math

from ..context.grid import TOLERANCE_S
from .latency import LatencyTracker
from .parameters import LeapfrogParameters

_ENOUGH = 10
"""Latencies that must be known before steps are given up or motion is refused."""
_STALLS_END = 85
"""Percentile that a single stall does not reach, even among `_ENOUGH` latencies."""
_FORGET_S = 30.0
"""A latency that refused motion is measured anew after this long."""


class LatencyBudget:
    """Chooses d and the steps from the latency measured while running.

    d covers the p99 (cold start left out), within the parameters' bounds. Where even the greatest
    d does not, fewer steps are asked for, and latency is measured anew; where the fewest steps do
    not help and the greatest d is missed every other time, motion is refused.

    Attributes:
        latency: camera stamp to the arrival of the chunk, at the present number of steps.
        num_steps: denoising steps to ask for; 0: the predictor's own.
        committed_frames: d to ask for.
    """

    def __init__(self, parameters: LeapfrogParameters) -> None:
        self._parameters = parameters
        self._failed_at = float("-inf")
        self._failure = ""
        self._own_steps = parameters.num_steps
        self.latency = LatencyTracker(parameters.cold_start)
        self.num_steps = parameters.num_steps
        self.committed_frames = parameters.inference_delay_frames

    def add(self, latency_s: float, now: float, num_steps: int = 0) -> str:
        """Count a latency; says what it changes, empty where nothing.

        Args:
            latency_s: camera stamp to the arrival of the chunk, s.
            now: s.
            num_steps: denoising steps that the chunk is said to have; 0: not known.
        """
        parameters = self._parameters
        self._own_steps = self._own_steps or num_steps
        self.latency.add(latency_s)
        p99, period = self.latency.percentile(99), parameters.frame_period_s
        needed = math.ceil((p99 - TOLERANCE_S) / period) if p99 > 0 else 0
        chosen = min(max(needed, parameters.inference_delay_frames), parameters.greatest_committed)
        changed = chosen != self.committed_frames
        self.committed_frames = chosen
        if needed > parameters.greatest_committed and self.latency.count >= _ENOUGH:
            return self._relieve(needed, now)
        figures = f"{chosen} committed frames of {period:g} s cover a p99 of {p99:.3f} s"
        return figures if changed else ""

    def refusal(self, now: float) -> str:
        """Why no motion is possible with this latency, with the figures; empty if it is."""
        if now - self._failed_at > _FORGET_S:
            self._failure = ""
        return self._failure

    def _relieve(self, needed: int, now: float) -> str:
        parameters, latency = self._parameters, self.latency
        figures = (
            f"p99 {latency.percentile(99):.3f} s needs {needed} committed frames of "
            f"{parameters.frame_period_s:g} s, at most {parameters.greatest_committed} are allowed"
        )
        longest = parameters.greatest_committed * parameters.frame_period_s
        if latency.percentile(_STALLS_END) <= longest + TOLERANCE_S:
            return ""
        steps = self.num_steps or self._own_steps
        if parameters.least_steps < steps:
            self.num_steps = steps - 1
            self.latency = LatencyTracker(cold_start=1)
            return f"{figures}: {self.num_steps} denoising steps from now on"
        if latency.percentile(50) <= longest + TOLERANCE_S:
            return ""
        share = math.floor(100 * parameters.greatest_committed / needed) / 100
        remedy = f"a time_scaling of {share:g} times what it is would do"
        self._failed_at = now
        self._failure = (
            f"horizon {parameters.horizon} < 2 x {needed}: {figures} "
            f"(p50 {latency.percentile(50):.3f} s, {latency.count} chunks); {remedy}"
        )
        self.latency = LatencyTracker(cold_start=0)
        return self._failure

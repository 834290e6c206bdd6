"""Synchronous execution: predict at rest, execute the whole chunk, repeat."""

from __future__ import annotations

from ...context.grid import TOLERANCE_S
from ...leapfrog.messages import Frame
from ...leapfrog.motion import Motion
from ...leapfrog.parameters import LeapfrogParameters
from ...leapfrog.target_spline import curve_through
from .baseline import Arrival, BaselineState, Question, uncommitted


class Synchronous:
    """Asks at the first frame at which the commanded motion has ended.

    As nothing moved meanwhile, a chunk begins when it arrives, with its first target one period
    later; it starts and ends at rest. The robot idles for the latency in every cycle.
    """

    def ask(
        self, frame: Frame, state: BaselineState, parameters: LeapfrogParameters
    ) -> Question | None:
        """Nothing is committed: the robot rests."""
        if frame.stamp < state.motion.end - TOLERANCE_S:
            return None
        return uncommitted(state)

    def answer(self, arrived: Arrival, state: BaselineState) -> Motion:
        """From rest through all targets to rest."""
        anchor = state.motion.final_position
        curve = curve_through(anchor, arrived.targets, arrived.now, arrived.period_s)
        velocities = curve.velocities.copy()
        velocities[[0, -1]] = 0.0
        return Motion(curve.times, curve.positions, velocities)

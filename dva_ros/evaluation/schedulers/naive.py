"""Naive asynchronous execution: the newest chunk replaces the executing one at once."""

from __future__ import annotations

from ...leapfrog.messages import Frame
from ...leapfrog.motion import Motion
from ...leapfrog.parameters import LeapfrogParameters
from ...leapfrog.target_spline import curve_through
from .baseline import Arrival, BaselineState, Question, next_tick, require_ahead, uncommitted


class NaiveReplacement:
    """Pays no attention to what is executing: neither in the request nor at the switch.

    The "naive async" of Black et al. 2025 (arXiv 2506.07339): targets that are past when the chunk
    arrives are skipped, so that time stays right, and the robot is on the new chunk's curve at
    the controller's next update, whatever the distance. The first chunk begins when it arrives.
    """

    def ask(
        self, frame: Frame, state: BaselineState, parameters: LeapfrogParameters
    ) -> Question | None:
        """Every `execution_horizon`, with nothing committed."""
        if not state.is_due(frame, parameters):
            return None
        return uncommitted(state)

    def answer(self, arrived: Arrival, state: BaselineState) -> Motion:
        """The chunk's own curve, from the request's frame on."""
        request, targets, grid = arrived.request, arrived.targets, arrived.grid
        if state.predictions == 0:
            start = grid.time(next_tick(grid, arrived.now))
            return curve_through(state.motion.final_position, targets, start, arrived.period_s)
        require_ahead(grid, request.frame_index + len(targets), arrived.now)
        state.consumed_ticks += grid.first_after(arrived.now) - (request.frame_index + 1)
        return curve_through(request.anchor, targets, request.stamp, arrived.period_s)

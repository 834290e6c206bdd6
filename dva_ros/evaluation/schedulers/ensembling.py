"""Temporal ensembling: what executes is a weighted mean of all chunks that cover the moment."""

from __future__ import annotations

import numpy as np

from ...leapfrog.messages import Frame
from ...leapfrog.motion import Motion
from ...leapfrog.parameters import LeapfrogParameters
from ...leapfrog.target_spline import curve_through
from .baseline import Arrival, BaselineState, Question, next_tick, require_ahead, uncommitted

DECAY = 0.01
"""m of the weights exp(-m i); the value that ACT uses."""


def ensemble_weights(count: int, decay: float = DECAY) -> np.ndarray:
    """Weights of `count` opinions, oldest first, float64 [count] with sum 1.

    exp(-m i) with i = 0 for the oldest: new chunks come in slowly (Zhao et al. 2023, ACT,
    arXiv 2304.13705, algorithm 2).
    """
    weights = np.exp(-decay * np.arange(count))
    return weights / weights.sum()


class TemporalEnsembling:
    """Asks as often as the latency allows, ACT would at every tick.

    Mean targets of ticks that are still ahead replace the executing ones at every answer. The
    first chunk begins when it arrives.
    """

    def __init__(self) -> None:
        self._chunks: list[tuple[int, np.ndarray]] = []

    def ask(
        self, frame: Frame, state: BaselineState, parameters: LeapfrogParameters
    ) -> Question | None:
        """At every frame, with nothing committed."""
        return uncommitted(state)

    def answer(self, arrived: Arrival, state: BaselineState) -> Motion:
        """A curve through the last two executed ticks and the means of those ahead."""
        request, targets, grid = arrived.request, arrived.targets, arrived.grid
        start = request.frame_index
        if state.predictions == 0:
            start = next_tick(grid, arrived.now)
        last = start + len(targets)
        require_ahead(grid, last, arrived.now)
        ahead = grid.first_after(arrived.now)
        state.consumed_ticks += max(0, ahead - (start + 1))
        self._chunks = [(s, c) for s, c in self._chunks if s + len(c) >= ahead]
        self._chunks.append((start, targets))
        ahead = max(ahead, start + 1)
        executed = grid.time(ahead) - arrived.period_s * np.array([2, 1])
        past = state.motion.sample(executed)[0]
        mean = np.stack([self._mean(tick) for tick in range(ahead, last + 1)])
        return curve_through(
            past[0], np.vstack([past[1:], mean]), float(executed[0]), arrived.period_s
        )

    def _mean(self, tick: int) -> np.ndarray:
        """Mean float64 [J] over all chunks with a target for this frame."""
        opinions = [c[tick - s - 1] for s, c in self._chunks if 0 < tick - s <= len(c)]
        return ensemble_weights(len(opinions)) @ np.stack(opinions)

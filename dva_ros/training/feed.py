"""The data path of training: batches by step, and how long the trainer waited for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from .amortization import TrainingBatch

Draw = Callable[[int], TrainingBatch]


class Feed:
    """Gives the batch of a step, which depends on the step alone.

    Attributes:
        waited_s: time that `take` took, in all.
    """

    def __init__(self, draw: Draw, ahead: bool) -> None:
        """`ahead`: draw the next batch in a thread while a step runs. It pays where steps run on
        a GPU; on a CPU the thread would take the core that computes."""
        self.waited_s = 0.0
        self._draw = draw
        self._pool = ThreadPoolExecutor(1, "feed") if ahead else None
        self._next: tuple[int, Future[TrainingBatch]] | None = None

    def take(self, step: int) -> TrainingBatch:
        """The batch of a step; raises what drawing it raised."""
        begun = time.perf_counter()
        if self._next is not None and self._next[0] == step:
            batch = self._next[1].result()
        else:
            batch = self._draw(step)
        if self._pool is not None:
            self._next = step + 1, self._pool.submit(self._draw, step + 1)
        self.waited_s += time.perf_counter() - begun
        return batch

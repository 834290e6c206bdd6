"""How much of the machine training uses: operations of the model over what could be computed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dva_ros.compute.ceilings import matrix_gflop_s


class Utilisation:
    """Of one rank, over the steps that were timed.

    Attributes:
        operations_per_step: multiplications and additions that the model needs.
        ceiling_gflop_s: large matrix products of this process, measured at the start.
    """

    def __init__(
        self, operations_per_step: float, dtype: torch.dtype, device: torch.device | str
    ) -> None:
        self.operations_per_step = operations_per_step
        self.ceiling_gflop_s = matrix_gflop_s(dtype, device)
        self._steps, self._seconds = 0, 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Time one step; it must not return before its gradients are known."""
        begun = time.perf_counter()
        yield
        self._seconds += time.perf_counter() - begun
        self._steps += 1

    @property
    def of_ceiling(self) -> float:
        """Operations a second over the ceiling: model FLOP utilisation."""
        if not self._steps:
            return 0.0
        rate = self._steps * self.operations_per_step / self._seconds
        return 1e-9 * rate / self.ceiling_gflop_s

    def waiting(self, waited_s: float) -> float:
        """Share of the steps' time that so many seconds are."""
        return waited_s / self._seconds if self._steps else 0.0

    def describe(self, waited_s: float) -> str:
        """Both, in one line."""
        return (
            f"model FLOP utilisation {self.of_ceiling:.0%} of {self.ceiling_gflop_s:.0f} GFLOP/s "
            f"({1e-9 * self.operations_per_step:.1f} GFLOP a step and rank); the data path kept "
            f"the trainer waiting {self.waiting(waited_s):.1%} of the time"
        )

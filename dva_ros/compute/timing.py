"""Repeated calls, timed in turns so that a busy moment of the machine meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)

BURST = 5
"""Timed calls in a row; one untimed call before them brings back what the others displaced."""

WARM_UP = 2


@dataclass(frozen=True)
class Timing:
    """Milliseconds over repeated calls, warm-up left out."""

    p50_ms: float
    p99_ms: float

    @staticmethod
    def of(seconds: Sequence[float]) -> Timing:
        """Percentiles of the samples, at least one."""
        p50, p99 = np.percentile(1e3 * np.asarray(seconds), (50, 99))
        return Timing(float(p50), float(p99))


@dataclass(frozen=True)
class Work:
    """What is timed, and how often."""

    call: Callable[[], object]
    repeats: int


def time_in_turns(
    works: Mapping[Key, Work], progress: Callable[[], object] = lambda: None
) -> dict[Key, Timing]:
    """Time every work, burst by burst in turns.

    Args:
        progress: called after every burst; a work has `num_bursts` of its repeats.
    """
    samples: dict[Key, list[float]] = {key: [] for key in works}
    for work in works.values():
        for _ in range(WARM_UP):
            work.call()
    while any(len(samples[key]) < work.repeats for key, work in works.items()):
        for key, work in works.items():
            missing = work.repeats - len(samples[key])
            if missing > 0:
                work.call()
                samples[key] += [_seconds(work.call) for _ in range(min(BURST, missing))]
                progress()
    return {key: Timing.of(values) for key, values in samples.items()}


def num_bursts(repeats: int) -> int:
    """Bursts that so many timed calls are."""
    return -(-repeats // BURST)


def best_seconds(call: Callable[[], object], repeats: int) -> float:
    """The shortest of several calls after a warm-up: what the machine can do."""
    for _ in range(WARM_UP):
        call()
    return min(_seconds(call) for _ in range(repeats))


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun

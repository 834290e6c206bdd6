"""Whether a series of measurements grows on and on, as a leak does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_SAMPLES = 9
"""Three in each third; fewer say nothing."""


@dataclass(frozen=True)
class Bound:
    """How much a series may grow over the whole run before that is a leak.

    Attributes:
        absolute: in the unit of the series.
        share: of its level in the first third, added to it.
    """

    absolute: float
    share: float = 0.0


@dataclass(frozen=True)
class Growth:
    """What a series does over a run.

    Attributes:
        per_hour: fitted slope (median of all pairwise slopes: Theil and Sen).
        sustained: growth over the run that goes on from the first third to the last.
        allowed: sustained growth that is no leak.
    """

    per_hour: float
    sustained: float
    allowed: float

    @property
    def leaks(self) -> bool:
        """Whether it grows beyond what is allowed."""
        return self.sustained > self.allowed


def growth(hours: Sequence[float], values: Sequence[float], bound: Bound) -> Growth | None:
    """Judge a series, warm-up left out; values that are not finite are skipped.

    A leak goes on, noise and warm-up do not. So the medians of the first, middle and last third
    are compared: the smaller of the two steps between them, times three, is the growth over the
    run that is held against the bound. A cache that fills, a load that begins or ends, and single
    outliers leave one of the two steps near zero; a leak, also one that comes in steps of its own,
    does not.

    Args:
        hours: times of the values, increasing.
        values: measurements.
        bound: what is allowed.

    Returns:
        None where there are fewer than `LEAST_SAMPLES` values.
    """
    times, series = np.asarray(hours, np.float64), np.asarray(values, np.float64)
    finite = np.isfinite(series)
    times, series = times[finite], series[finite]
    if len(series) < LEAST_SAMPLES:
        return None
    first, middle, last = (float(np.median(third)) for third in np.array_split(series, 3))
    i, j = np.triu_indices(len(series), 1)
    slopes = (series[j] - series[i]) / (times[j] - times[i])
    return Growth(
        per_hour=float(np.median(slopes)),
        sustained=3.0 * min(middle - first, last - middle),
        allowed=bound.absolute + bound.share * abs(first),
    )

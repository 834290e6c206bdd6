"""The schedulers by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import UserError
from ...leapfrog.limits import JointLimits
from ...leapfrog.parameters import LeapfrogParameters
from ...leapfrog.scheduler import Leapfrog
from .baseline import Baseline, Rule
from .chunking import RealTimeChunking
from .ensembling import TemporalEnsembling
from .interface import Scheduler
from .naive import NaiveReplacement
from .synchronous import Synchronous

LEAPFROG = "leapfrog"

BASELINES: dict[str, Callable[[], Rule]] = {
    "synchronous": Synchronous,
    "naive": NaiveReplacement,
    "temporal_ensembling": TemporalEnsembling,
    "real_time_chunking": RealTimeChunking,
}

SCHEDULERS = (LEAPFROG, *BASELINES)

OVERLAPPING = (LEAPFROG, "real_time_chunking")
"""Those that commit d frames to the time of inference, and so need H >= 2d."""


def make_scheduler(
    name: str,
    parameters: LeapfrogParameters,
    limits: JointLimits,
    joint_names: Sequence[str],
) -> Scheduler:
    """A scheduler that has not been engaged.

    Raises:
        UserError: unknown name; lists those there are.
    """
    if name == LEAPFROG:
        return Leapfrog(parameters, limits, joint_names)
    if name not in BASELINES:
        raise UserError(f"unknown scheduler '{name}'; there are: {', '.join(SCHEDULERS)}")
    return Baseline(parameters, joint_names, BASELINES[name]())

"""Ratios of one run, stored in a file: what slows one of them down is noticed on any machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import yaml

from ..compute.timing import Work, time_in_turns
from ..errors import UserError
from ..video.model import VideoModel
from .references import DENSE_DTYPE, GATHER, DenseReference, WithoutCache
from .workloads import VideoSessions

NEAR, FAR = 16, 256
NUM_CALLS = 5
"""Calls that `Ratios.measure` compares."""

REPEATS = 15


@dataclass(frozen=True)
class Ratios:
    """Of median times, with one thread as in the nodes; smaller is better.

    Attributes:
        prediction_far_over_near: a prediction at 256 frames of context over one at 16.
        step_over_no_cache: a denoising step at 256 frames, over the same without a cache.
        step_over_dense_gather: the same over dense attention of equal width, depth and tokens,
            its cache gathered by index, in float32.
    """

    prediction_far_over_near: float
    step_over_no_cache: float
    step_over_dense_gather: float

    @staticmethod
    def measure(
        model: VideoModel, num_steps: int, progress: Callable[[], object] = lambda: None
    ) -> Ratios:
        """Time all that is compared in turns; about ten seconds.

        Args:
            progress: called after every burst, for each of the `NUM_CALLS`.
        """
        near, far = (VideoSessions(model, n, 1, num_steps) for n in (NEAR, FAR))
        calls = {
            "near": near.predict,
            "far": far.predict,
            "step": far.denoise,
            "no_cache": WithoutCache(model, FAR).denoise,
            "dense": DenseReference(GATHER, model.config, FAR, DENSE_DTYPE).denoise,
        }
        works = {name: Work(call, REPEATS) for name, call in calls.items()}
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            timings = time_in_turns(works, progress)
        finally:
            torch.set_num_threads(threads)
        p50 = {name: timing.p50_ms for name, timing in timings.items()}
        return Ratios(
            prediction_far_over_near=p50["far"] / p50["near"],
            step_over_no_cache=p50["step"] / p50["no_cache"],
            step_over_dense_gather=p50["step"] / p50["dense"],
        )

    def worse_than(self, stored: Ratios, factor: float) -> list[str]:
        """What is slower than stored by more than `factor`, in words; empty if nothing."""
        before = asdict(stored)
        return [
            f"{name}: {now:.3f}, stored {before[name]:.3f}, allowed {factor * before[name]:.3f}"
            for name, now in asdict(self).items()
            if now > factor * before[name]
        ]


@dataclass(frozen=True)
class StoredRatios:
    """Ratios in a file, and where they come from.

    Attributes:
        command: that measured them.
        machine: see `Hardware.describe`.
        dtype: of the model; ratios of another one are not comparable.
        date: of the run, ISO 8601.
    """

    command: str
    machine: str
    dtype: str
    date: str
    ratios: Ratios

    def write(self, path: Path) -> None:
        """Store; creates the folder."""
        document = asdict(self)
        document["ratios"] = {n: round(value, 4) for n, value in document["ratios"].items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False, width=99))

    @staticmethod
    def read(path: Path) -> StoredRatios:
        """Inverse of `write`; raises `UserError` where the file is not such a one."""
        try:
            values = yaml.safe_load(path.read_text())
            return StoredRatios(**{**values, "ratios": Ratios(**values["ratios"])})
        except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
            raise UserError(f"{path} holds no benchmark ratios: {error!r}") from error

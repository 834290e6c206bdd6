"""Error of predicted clips on held-out episodes, by noise level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from dva_ros.video.model import VideoModel

from .amortization import Sequence, SequenceSampler, noised, on_device

LEVELS = (0.02, 0.1, 0.3, 0.6)
"""Noise levels that are reported; 0 is noise only."""


@dataclass(frozen=True)
class ValidationResult:
    """Mean squared errors in the signal's units (-1..1).

    Attributes:
        by_level: one error for each of `LEVELS`.
        copy_last: error of repeating the last real frame.
        by_frame: error of each of the H frames at the noisiest level.
    """

    by_level: tuple[float, ...]
    copy_last: float
    by_frame: tuple[float, ...]


class Validation:
    """The same windows and the same noise every time."""

    def __init__(
        self, sampler: SequenceSampler, windows: int, seed: int = 0, batch: int = 2
    ) -> None:
        rng = np.random.default_rng([seed, 77])
        self._sequences: list[Sequence] = [
            sampler.sample(rng, batch) for _ in range(max(1, windows // batch))
        ]

    @torch.inference_mode()
    def measure(self, model: VideoModel) -> ValidationResult:
        """Errors of the model as it is; clip k of a window is noised to level k modulo 4."""
        device = model.embedding.slot.device
        generator = torch.Generator().manual_seed(1234)
        horizon = model.config.horizon
        errors = torch.zeros(len(LEVELS), horizon)
        copies = torch.zeros(len(LEVELS), horizon)
        counts = torch.zeros(len(LEVELS))
        for sequence in self._sequences:
            size, num_clips = sequence.usable.shape[:2]
            kind = torch.arange(num_clips) % len(LEVELS)
            level = torch.tensor(LEVELS)[kind].expand(size, -1)
            batch = noised(sequence, model.config, generator, model.dtype, level)
            batch = on_device(batch, device)
            prediction = model(batch.clips)
            target = batch.target.float()
            last = batch.clips.frames[:, batch.clips.clip_start, None].float()
            error = (prediction.float() - target).square().mean((-2, -1)).cpu()
            copied = (last - target).square().mean((-2, -1)).cpu()
            for number in range(len(LEVELS)):
                chosen = sequence.usable.all(-1) & (kind == number)
                errors[number] += error[chosen].sum(0)
                copies[number] += copied[chosen].sum(0)
                counts[number] += chosen.sum()
        per_frame = errors / counts.clamp_min(1)[:, None]
        return ValidationResult(
            by_level=tuple(per_frame.mean(1).tolist()),
            copy_last=float(copies.sum() / (counts.sum().clamp_min(1) * horizon)),
            by_frame=tuple(per_frame[0].tolist()),
        )

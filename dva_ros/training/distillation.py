"""Distillation: one denoising step that gives what a teacher gives in many.

The student learns the end of the teacher's path from the same noise (Luhman and Luhman 2021,
arXiv 2101.02388), for all clips of a sequence in one forward, as all of training does.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from dva_ros.video.model import VideoModel
from dva_ros.video.sampler import sample_clip

from .amortization import TrainingBatch


@torch.no_grad()
def distilled(batch: TrainingBatch, teacher: VideoModel, num_steps: int) -> TrainingBatch:
    """The batch with the teacher's clips in place of the recorded ones as its answer, and noise
    of the teacher's temperature.

    Args:
        batch: all of whose clips are at level 0, pure noise.
        teacher: on the batch's device.
        num_steps: denoising steps of the teacher.
    """
    noise = teacher.config.temperature * batch.clips.noisy
    clips = replace(batch.clips, noisy=noise)

    def denoise(noisy: Tensor, level: float) -> Tensor:
        levels = torch.full_like(clips.level, level)
        return teacher(replace(clips, noisy=noisy.to(teacher.dtype), level=levels))

    sampled = sample_clip(denoise, noise.float(), num_steps)
    return replace(batch, clips=clips, target=sampled.to(batch.target.dtype))

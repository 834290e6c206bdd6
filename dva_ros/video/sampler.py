"""Euler steps from noise to a clip, with a model that predicts the clean clip."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from .guidance import Guidance

_LEVEL_POWER = 2.0


def sampling_levels(num_steps: int) -> list[float]:
    """Noise levels of the steps, from 0; denser toward noise, where training levels lie."""
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")
    return [(step / num_steps) ** _LEVEL_POWER for step in range(num_steps)]


def sample_clip(
    denoise: Callable[[Tensor, float], Tensor],
    noise: Tensor,
    num_steps: int,
    guidance: Guidance | None = None,
) -> Tensor:
    """Integrate the rectified flow.

    Args:
        denoise: (noisy, level) -> predicted clean signal of the same shape.
        noise: standard normal, float32.
        guidance: what the clip is held to, or None.

    Returns:
        The clean signal: the prediction of the last step, with its guidance.
    """
    noisy = noise
    levels = [*sampling_levels(num_steps), 1.0]
    for level, following in pairwise(levels):
        share = (following - level) / (1 - level)
        if guidance is None:
            noisy = torch.lerp(noisy, denoise(noisy, level).float(), share)
        else:
            clean, pull = guidance.denoise(denoise, noisy, level)
            noisy = torch.lerp(noisy, clean, share) + (following - level) * pull
    return noisy

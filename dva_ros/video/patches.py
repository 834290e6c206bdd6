"""Mosaics to patches and back, on any dtype.

A patch is laid out channel by channel, so that one gate value per pixel broadcasts over long
contiguous rows.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def patchify(frames: np.ndarray, patch: int) -> np.ndarray:
    """[..., height, width, 3] -> contiguous [..., patches, 3 * patch * patch], same dtype."""
    *lead, height, width, channels = frames.shape
    rows, columns = height // patch, width // patch
    split = frames.reshape(-1, rows, patch, columns, patch, channels)
    moved = split.transpose(0, 1, 3, 5, 2, 4)
    return np.ascontiguousarray(moved).reshape(*lead, rows * columns, channels * patch * patch)


def unpatchify(patches: np.ndarray, height: int, width: int, patch: int) -> np.ndarray:
    """Inverse of `patchify`."""
    lead = patches.shape[:-2]
    split = patches.reshape(-1, height // patch, width // patch, 3, patch, patch)
    moved = split.transpose(0, 1, 4, 2, 5, 3)
    return np.ascontiguousarray(moved).reshape(*lead, height, width, 3)


def to_image(patches: Tensor, rows: int, patch: int) -> Tensor:
    """[..., patches, patch_dim], `rows` patches high -> [N, 3, height, width] for convolutions."""
    columns = patches.shape[-2] // rows
    grid = patches.reshape(-1, rows, columns, 3, patch, patch)
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


def to_signal(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """uint8 0..255 to -1..1."""
    return pixels.to(dtype).mul_(1 / 127.5).sub_(1)


def to_pixels(signal: Tensor) -> Tensor:
    """-1..1 to uint8, rounded and clamped."""
    return signal.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)

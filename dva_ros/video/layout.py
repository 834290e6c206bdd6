"""Which frames a parallel training forward holds, and what may attend to what."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NUM_PINNED = 1
"""Pseudo-frames before the first real one: the instruction."""


@dataclass(frozen=True)
class ParallelLayout:
    """Frames in order: pinned, real 0..T-1, then clip after clip.

    Attributes:
        num_real: T.
        num_clips: C.
        horizon: frames of a clip, H.
        window: frames that a frame sees, the newest included.
        newest: index of the newest real frame that each frame sees [1 + T + C * H]; -1: none.
        mask: [1 + T + C * H, T]; 1 where a frame attends to a real frame, by position.
        index: grid index of every frame [1 + T + C * H]; 0 for the pinned one.
    """

    num_real: int
    num_clips: int
    horizon: int
    window: int
    newest: Tensor
    mask: Tensor
    index: Tensor

    @staticmethod
    def build(
        num_real: int, clip_start: Tensor, horizon: int, window: int, dtype: torch.dtype
    ) -> ParallelLayout:
        """Layout of T real frames with a clip after each index in `clip_start`, int64 [C].

        A real frame sees itself and what came before it, a clip the frames up to its start; both
        no further back than `window` frames.
        """
        device = clip_start.device
        real = torch.arange(num_real, device=device)
        before = torch.full((NUM_PINNED,), -1, device=device)
        newest = torch.cat((before, real, clip_start.repeat_interleave(horizon)))
        visible = (real <= newest[:, None]) & (real > newest[:, None] - window)
        ahead = torch.arange(1, horizon + 1, device=device)
        clips = (clip_start[:, None] + ahead).flatten()
        index = torch.cat((before + 1, real, clips))
        mask = visible.to(dtype)
        return ParallelLayout(num_real, len(clip_start), horizon, window, newest, mask, index)

    @property
    def first_clip(self) -> int:
        """Position of the first clip frame."""
        return NUM_PINNED + self.num_real

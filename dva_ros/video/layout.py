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
        newest: index of the newest real frame that each frame sees [1 + T + C * H]; -1: none.
        index: grid index of every frame [1 + T + C * H]; 0 for the pinned one.
    """

    num_real: int
    num_clips: int
    horizon: int
    newest: Tensor
    index: Tensor

    @staticmethod
    def build(num_real: int, clip_start: Tensor, horizon: int) -> ParallelLayout:
        """Layout of T real frames with a clip after each index in `clip_start`, int64 [C].

        A real frame sees itself and what came before it, a clip the frames up to its start.
        """
        device = clip_start.device
        real = torch.arange(num_real, device=device)
        before = torch.full((NUM_PINNED,), -1, device=device)
        newest = torch.cat((before, real, clip_start.repeat_interleave(horizon)))
        ahead = torch.arange(1, horizon + 1, device=device)
        clips = (clip_start[:, None] + ahead).flatten()
        index = torch.cat((before + 1, real, clips))
        return ParallelLayout(num_real, len(clip_start), horizon, newest, index)

    def mask(self, window: int) -> Tensor:
        """Where a frame attends to a real frame, bool [1 + T + C * H, T]: to the newest that it
        sees, and no further back than `window` frames with it."""
        real = torch.arange(self.num_real, device=self.newest.device)
        newest = self.newest[:, None]
        return (real <= newest) & (real > newest - window)

    @property
    def first_clip(self) -> int:
        """Position of the first clip frame."""
        return NUM_PINNED + self.num_real

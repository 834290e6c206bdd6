"""Instruction, real frames and noised clips as tokens [..., slots, width]."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import VideoModelConfig
from .patches import to_image
from .stem import ConvStem

LEVEL_FEATURES = 64


class WidePatches(nn.Module):
    """What lies around each patch as well as in it: a small object across the edge of two patches
    is seen whole (overlapping patches, as in Xiao et al. 2021). Begins as nothing."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        self.patch = config.patch
        self.rows = config.spec.mosaic_height // config.patch
        self.windows = nn.Conv2d(
            3,
            config.width,
            config.patch + 2 * config.patch_margin,
            stride=config.patch,
            padding=config.patch_margin,
            bias=False,
        )
        nn.init.zeros_(self.windows.weight)

    def forward(self, frames: Tensor) -> Tensor:
        """Signal [..., patches, patch_dim] -> [..., patches, width]."""
        lead = frames.shape[:-2]
        image = to_image(frames, self.rows, self.patch)
        return self.windows(image).flatten(2).mT.reshape(*lead, frames.shape[-2], -1)


class NoiseLevelEmbedding(nn.Module):
    """Noise level 0 (noise) .. 1 (data) to a feature vector."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = LEVEL_FEATURES // 2
        self.frequencies = torch.exp(torch.linspace(0.0, math.log(64.0), half)) * math.pi / 2
        self.hidden = nn.Linear(LEVEL_FEATURES, width)
        self.out = nn.Linear(width, width)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> NoiseLevelEmbedding:
        """Frequencies follow the module to its device, never to its dtype."""
        super()._apply(fn, recurse)
        self.frequencies = self.frequencies.to(self.out.weight.device)
        return self

    def forward(self, level: Tensor) -> Tensor:
        """float32 [...] -> [..., width] in the weights' dtype."""
        angles = level[..., None].float() * self.frequencies
        features = torch.cat((angles.cos(), angles.sin()), dim=-1).to(self.out.weight.dtype)
        return self.out(F.silu(self.hidden(features)))


class Embedding(nn.Module):
    """Everything the blocks read. The last slot of a frame is its proprioception: the measured
    joints of a real frame, the committed command of a predicted one."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        width, joints = config.width, config.spec.num_joints
        self.max_words = config.max_words
        self.slot = nn.Parameter(0.5 * torch.randn(config.num_slots, width))
        self.word = nn.Embedding(config.word_buckets + 1, width)
        self.real_patch = nn.Linear(config.patch_dim, width)
        self.wide_patch = WidePatches(config) if config.patch_margin else None
        self.stem = ConvStem(config) if config.stem_width else None
        self.state = nn.Linear(joints, width)
        self.noisy_patch = nn.Linear(config.patch_dim, width)
        self.command = nn.Linear(joints, width)
        self.free_command = nn.Parameter(0.5 * torch.randn(width))
        self.anchor = nn.Linear(width, width, bias=False)
        self.offset = nn.Parameter(0.5 * torch.randn(config.horizon, width))
        self.level = NoiseLevelEmbedding(width)

    def instruction(self, words: Tensor) -> Tensor:
        """int64 [batch, max_words] -> one pseudo-frame [batch, 1, slots, width]."""
        tokens = F.pad(self.word(words), (0, 0, 0, len(self.slot) - self.max_words))
        return (tokens + self.slot)[:, None]

    def real(self, frames: Tensor, state: Tensor) -> Tensor:
        """Signal [..., patches, patch_dim], normalised joints [..., J] -> [..., slots, width]."""
        patches = self.real_patch(frames)
        if self.wide_patch is not None:
            patches = patches + self.wide_patch(frames)
        if self.stem is not None:
            patches = patches + self.stem(frames)
        return torch.cat((patches, self.state(state)[..., None, :]), dim=-2) + self.slot

    def clip(
        self, noisy: Tensor, level: Tensor, committed: Tensor, count: Tensor, anchor: Tensor
    ) -> Tensor:
        """The clips that follow real frames.

        Args:
            noisy: noised signal [..., H, patches, patch_dim].
            level: noise level [...], float32.
            committed: normalised commands [..., H, J]; only the first `count` are read.
            count: committed frames of each clip, int64 [...].
            anchor: `real` of the last real frame before each clip, [..., slots, width].

        Returns:
            [..., H, slots, width].
        """
        commands = self.commands(committed, count)
        tokens = torch.cat((self.noisy_patch(noisy), commands[..., None, :]), dim=-2)
        per_slot = self.anchor(anchor)[..., None, :, :]
        per_frame = self.level(level)[..., None, :] + self.offset
        return tokens + per_slot + per_frame[..., None, :]

    def commands(self, committed: Tensor, count: Tensor) -> Tensor:
        """Proprioception of predicted frames, [..., H, width]; arguments as of `clip`."""
        is_committed = torch.arange(committed.shape[-2], device=count.device) < count[..., None]
        return torch.where(is_committed[..., None], self.command(committed), self.free_command)

"""The three residual branches of a block: attention over time, over space, and the MLP."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import HeadNorm, exp_attention
from .config import VideoModelConfig


class Norm(nn.Module):
    """Layer normalisation with a gain and no bias (a fused kernel, unlike RMS norm on CPU)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.gain.shape, self.gain)


class _SquaredRelu(torch.autograd.Function):
    """relu(x)^2, keeping one tensor for the backward pass instead of two, and taking none where
    there is no such pass. Overwrites x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        rectified = x.detach().relu_()
        ctx.save_for_backward(rectified)
        return rectified.square() if ctx.needs_input_grad[0] else rectified.square_()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (rectified,) = ctx.saved_tensors
        return (grad * rectified).mul_(2)


class Mlp(nn.Module):
    """Norm, expand, squared ReLU, project."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        hidden = config.width * config.mlp_ratio
        self.norm = Norm(config.width)
        self.up = nn.Linear(config.width, hidden, bias=False)
        self.down = nn.Linear(hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] -> the same shape, to be added to x."""
        return self.down(_SquaredRelu.apply(self.up(self.norm(x))))


class Attention(nn.Module):
    """Projections that both kinds of attention share."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        self.heads, self.head_dim = config.heads, config.head_dim
        self.norm = Norm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.head_norm = HeadNorm(config.head_dim)
        self.out = nn.Linear(config.width, config.width, bias=False)


class SpatialAttention(Attention):
    """The slots of one frame attend to each other."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, frames, slots, width] -> the same shape, to be added to x."""
        batch, frames, slots, width = x.shape
        split = self.qkv(self.norm(x)).view(-1, slots, 3, self.heads, self.head_dim)
        q, k, v = split.permute(2, 0, 3, 1, 4).contiguous().unbind(0)
        q, k = self.head_norm(q, k)
        weighted, total = exp_attention(q, k, v)
        mixed = (weighted / total).transpose(1, 2).reshape(batch, frames, slots, width)
        return self.out(mixed)


class TemporalAttention(Attention):
    """Each slot attends to the same slot of other frames; which ones is for the caller."""

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[batch, frames, slots, width] -> q, k, v, each [batch, slots, heads, frames, d].

        Queries and keys are normalised and not yet rotated.
        """
        batch, frames, slots, _ = x.shape
        split = self.qkv(self.norm(x)).view(batch, frames, slots, 3, self.heads, self.head_dim)
        q, k, v = split.permute(3, 0, 2, 4, 1, 5).contiguous().unbind(0)
        q, k = self.head_norm(q, k)
        return q, k, v

    def merge(self, weighted: Tensor, total: Tensor) -> Tensor:
        """Sums over keys -> [batch, frames, slots, width], to be added to x."""
        batch, slots, heads, frames, d = weighted.shape
        mixed = (weighted / total).permute(0, 3, 1, 2, 4)
        return self.out(mixed.reshape(batch, frames, slots, heads * d))


class Block(nn.Module):
    """Time first, then space, then the MLP: so context frames need nothing but their keys and
    values in the last block."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        self.temporal = TemporalAttention(config)
        self.spatial = SpatialAttention(config)
        self.mlp = Mlp(config)

    def finish(self, x: Tensor) -> Tensor:
        """The part of the block that stays within a frame."""
        # Into the branch's own result: x itself may be needed by a backward pass, or by others.
        x = self.spatial(x).add_(x)
        return self.mlp(x).add_(x)

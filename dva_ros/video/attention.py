"""Attention for short sequences on a CPU, written as plain matrix products.

Queries and keys are normalised per head and the query's gain is bounded, so scores are bounded
too and the softmax needs no running maximum: it is an exponential, two products and one division.
On a CPU that is several times faster than `softmax` or `scaled_dot_product_attention` on rows of
20 to 100 keys, and parts over different keys (pinned, context, own clip) simply add up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAX_SCORE = 40.0
"""Greatest possible attention score; exp(40) summed over thousands of keys fits bfloat16."""

ROPE_BASE = 1000.0


class _ExpAttention(torch.autograd.Function):
    """Unnormalised attention: exp(q k^T) * mask, its product with v, and its row sums."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        if k.device.type == "cpu":
            # Products of strided keys take two to three times as long there as after a copy.
            k, v = k.contiguous(), v.contiguous()
        weights = torch.matmul(q, k.transpose(-1, -2)).exp_()
        if mask is not None:
            weights.mul_(mask)
        ctx.save_for_backward(q, k, v, weights)
        return torch.matmul(weights, v), weights.sum(-1, keepdim=True)

    @staticmethod
    def backward(
        ctx: Any, grad_weighted: Tensor, grad_sum: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, weights = ctx.saved_tensors
        grad_scores = torch.matmul(grad_weighted, v.transpose(-1, -2))
        grad_scores.add_(grad_sum).mul_(weights)
        grad_q = torch.matmul(grad_scores, k)
        grad_k = torch.matmul(grad_scores.transpose(-1, -2), q)
        grad_v = torch.matmul(weights.transpose(-1, -2), grad_weighted)
        return grad_q, grad_k, grad_v, None


def exp_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attention before its division, so that several key sets can be summed.

    Args:
        q: [..., Q, d]; k, v: [..., K, d], with equal leading dimensions.
        mask: 1 where attended, else 0; broadcastable to [..., Q, K], same dtype.

    Returns:
        weighted sum of the values [..., Q, d], and the sum of the weights [..., Q, 1].
    """
    weighted, total = _ExpAttention.apply(q, k, v, mask)
    return weighted, total


class HeadNorm(nn.Module):
    """Bounds attention scores: normalises queries and keys per head, with a gain on queries."""

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.full((head_dim,), head_dim**-0.5))
        self.limit = MAX_SCORE / head_dim

    def bounded_gain(self) -> Tensor:
        """What queries are multiplied by, [d]."""
        return self.gain.clamp(-self.limit, self.limit)

    def forward(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """Contiguous [..., d] each -> the same shapes."""
        shape = self.gain.shape
        return F.layer_norm(q, shape, self.bounded_gain()), F.layer_norm(k, shape)


class Rope(nn.Module):
    """Rotary position over the frame index. Angles are computed in float64, then cast.

    Keys are stored rotated, at an absolute index without bound: scores depend on differences
    only.
    """

    swap: Tensor

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        half = head_dim // 2
        self.frequencies = ROPE_BASE ** (-torch.arange(half, dtype=torch.float64) / half)
        swap = torch.zeros(head_dim, head_dim)
        index = torch.arange(half)
        swap[index + half, index] = -1.0
        swap[index, index + half] = 1.0
        self.register_buffer("swap", swap, persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Rope:
        """Frequencies follow the module to its device, never to its dtype."""
        super()._apply(fn, recurse)
        self.frequencies = self.frequencies.to(self.swap.device)
        return self

    def tables(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Frame indices [F] -> cosines and sines [F, d] in the module's dtype."""
        cosine, sine = self.waves(index)
        return cosine.to(self.swap.dtype), sine.to(self.swap.dtype)

    def waves(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """`tables` in float64."""
        angles = index.to(torch.float64)[:, None] * self.frequencies
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()

    def rotate(self, x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
        """x: [..., F, d], rotated by the tables of its F frames.

        The swapped halves come from a product with a constant matrix: on a CPU that is faster
        than slicing rows of 32 numbers.
        """
        cosine, sine = tables
        return (x * cosine).addcmul_(torch.matmul(x, self.swap), sine)

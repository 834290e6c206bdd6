"""Weights of the blocks as the denoiser of a CPU multiplies them.

What a trained model computes in several operations and always alike is computed once, in float64:

- The mean of a head's query, or key, is a linear function of its input. Rows of the projection
  without their mean make the layer normalisation a division by the length of the vector.
- The bounded gain of the queries, with 1 / ln 2, so that the exponential is one of base 2, which
  is faster, and with the factor that makes a length of 1 a deviation of 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .layers import Attention, Block


@dataclass(frozen=True)
class FoldedAttention:
    """Projections [inputs, outputs], to be multiplied from the right.

    Attributes:
        norm: gain of the norm before, [width].
        qkv: [width, 3 * width]; queries and keys have no mean.
        query_gain: of queries of length 1 whose keys have a deviation of 1, float64 [d]; scores
            are powers of 2.
        unit_gain: where keys have a length of 1, too, [d].
        out: [width, width].
    """

    norm: Tensor
    qkv: Tensor
    query_gain: Tensor
    unit_gain: Tensor
    out: Tensor

    @staticmethod
    def of(attention: Attention) -> FoldedAttention:
        """Of a trained one; views of its weights where nothing is folded."""
        heads, d = attention.heads, attention.head_dim
        weight = attention.qkv.weight.detach()
        rows = weight.double().view(3, heads, d, -1).clone()
        rows[:2] -= rows[:2].mean(2, keepdim=True)
        gain = attention.head_norm.bounded_gain().detach().double()
        return FoldedAttention(
            norm=attention.norm.gain.detach(),
            qkv=rows.view_as(weight).to(weight.dtype).t(),
            # Layer normalisation gives a vector the length sqrt(d).
            query_gain=gain * d**0.5 / math.log(2),
            unit_gain=(gain * d / math.log(2)).to(weight.dtype),
            out=attention.out.weight.detach().t(),
        )


@dataclass(frozen=True)
class FoldedBlock:
    """A block; its MLP is as it was."""

    temporal: FoldedAttention
    spatial: FoldedAttention
    mlp_norm: Tensor
    up: Tensor
    down: Tensor

    @staticmethod
    def of(block: Block) -> FoldedBlock:
        """Of a trained one; views of its weights where nothing is folded."""
        mlp = block.mlp
        return FoldedBlock(
            temporal=FoldedAttention.of(block.temporal),
            spatial=FoldedAttention.of(block.spatial),
            mlp_norm=mlp.norm.gain.detach(),
            up=mlp.up.weight.detach().t(),
            down=mlp.down.weight.detach().t(),
        )


def to_unit_length(vectors: Tensor, eps: Tensor) -> Tensor:
    """Divide vectors without a mean, [..., d], by their length, in place.

    Args:
        eps: root of d times the epsilon of the layer normalisation that this stands for.
    """
    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors.div_(length.hypot_(eps))

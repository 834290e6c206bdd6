"""Attention over time in the parallel training forward, without what its mask hides.

FlexAttention computes only the blocks of 128 x 128 frames in which something is visible. On a GPU
it is compiled into one kernel; on a CPU it runs operation by operation, for tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import (
    AuxRequest,
    BlockMask,
    create_block_mask,
    flex_attention,
)

from .layout import NUM_PINNED, ParallelLayout


def sparse_attention(q: Tensor, k: Tensor, v: Tensor, mask: BlockMask) -> tuple[Tensor, Tensor]:
    """What real frames and clips attend to, the pinned segment left out.

    Args:
        q: rotated queries of the last frames of the layout [batch, slots, heads, Q, d].
        k, v: of all its frames, k rotated [batch, slots, heads, F, d].
        mask: of `block_mask`.

    Returns:
        As `exp_attention`, in float32: weighted sum [..., Q, d], and sum of the weights
        [..., Q, 1].
    """
    lead = q.shape[:2]
    attended, extra = _flex(q.device.type)(
        *(x.flatten(0, 1) for x in (q, k, v)),
        block_mask=mask,
        scale=1.0,
        return_aux=AuxRequest(lse=True),
    )
    total = extra.lse.float().exp()[..., None].unflatten(0, lead)
    return attended.float().unflatten(0, lead) * total, total


def block_mask(layout: ParallelLayout, window: int, num_queries: int) -> BlockMask:
    """Which blocks of queries, the last `num_queries` frames, and keys, all frames, to compute."""
    num_frames, first, horizon = len(layout.index), layout.first_clip, layout.horizon
    newest, skipped = layout.newest, num_frames - num_queries

    def visible(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        query, frame = query + skipped, key - NUM_PINNED
        is_real = (frame >= 0) & (key < first)
        in_window = (frame <= newest[query]) & (frame > newest[query] - window)
        clips = (query >= first) & (key >= first)
        own = (query - first) // horizon == (key - first) // horizon
        return (is_real & in_window) | (clips & own)

    return create_block_mask(
        visible, None, None, num_queries, num_frames, device=layout.index.device
    )


@cache
def _flex(device: str) -> Callable[..., Any]:
    flex: Any = flex_attention
    return torch.compile(flex, dynamic=False) if device == "cuda" else flex

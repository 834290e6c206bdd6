"""Step-by-step inference over a KV cache: the same numbers as the parallel training forward.

`batch` is the number of sessions side by side in the cache.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .attention import exp_attention
from .kv_cache import ContextCache, ContextReader
from .layers import TemporalAttention
from .model import VideoModel


def pin_instruction(model: VideoModel, cache: ContextCache, words: Tensor) -> None:
    """Encode hashed words, int64 [batch, max_words], into the cache's pinned segment."""
    x = model.embedding.instruction(words)
    for layer, block in enumerate(model.layers):
        q, k, v = block.temporal.project(x)
        cache.pin(layer, k, v)
        x = x + block.temporal.merge(*exp_attention(q, k, v))
        x = block.finish(x)


def append_frame(model: VideoModel, cache: ContextCache, frame: Tensor, state: Tensor) -> Tensor:
    """Encode one real frame of every session into the cache.

    Args:
        frame: signal [batch, patches, patch_dim]. state: normalised joints [batch, J].

    Returns:
        The frames' embeddings [batch, slots, width], the anchors of clips that follow them.
    """
    embedded = model.embedding.real(frame, state)
    x = embedded[:, None]
    tables = model.rope.tables(cache.next_index())
    last_layer = len(model.layers) - 1
    for layer, block in enumerate(model.layers):
        q, k, v = block.temporal.project(x)
        cache.write(layer, model.rope.rotate(k, tables), v)
        if layer == last_layer:
            break
        parts = (
            exp_attention(q, *cache.pinned(layer)),
            exp_attention(model.rope.rotate(q, tables), *cache.ring(layer, writing=True)),
        )
        x = block.finish(_merged(block.temporal, parts).add_(x))
    cache.advance()
    return embedded


def denoise_clip(
    model: VideoModel,
    cache: ContextReader,
    noisy: Tensor,
    level: Tensor,
    committed: Tensor,
    count: Tensor,
    anchor: Tensor,
    last: Tensor,
) -> Tensor:
    """Predict the clean clip that follows the newest frame of every session.

    Args:
        noisy: [batch, H, patches, patch_dim] at `level`.
        level: 0 (noise) .. 1 (data), float32 [batch].
        committed: normalised commands [batch, H, J], of which the first `count` are read.
        count: int64 [batch].
        anchor: what `append_frame` returned for the newest frames.
        last: their signal [batch, patches, patch_dim].

    Returns:
        Clean signal [batch, H, patches, patch_dim].
    """
    x = model.embedding.clip(noisy, level, committed, count, anchor)
    index = cache.next_index() + torch.arange(noisy.shape[1], device=noisy.device)
    tables = model.rope.tables(index)
    for layer, block in enumerate(model.layers):
        q, k, v = block.temporal.project(x)
        rotated = model.rope.rotate(q, tables)
        parts = (
            exp_attention(q, *cache.pinned(layer)),
            exp_attention(rotated, *cache.ring(layer)),
            exp_attention(rotated, model.rope.rotate(k, tables), v),
        )
        x = block.finish(_merged(block.temporal, parts).add_(x))
    return model.head(x, model.embedding.level(level), last)


def _merged(attention: TemporalAttention, parts: tuple[tuple[Tensor, Tensor], ...]) -> Tensor:
    weighted = sum((part[0] for part in parts[1:]), parts[0][0])
    total = sum((part[1] for part in parts[1:]), parts[0][1])
    return attention.merge(weighted, total)

"""Step-by-step inference over a KV cache: the same numbers as the parallel training forward."""

from __future__ import annotations

import torch
from torch import Tensor

from .attention import exp_attention
from .kv_cache import KVCache
from .layers import TemporalAttention
from .model import VideoModel


def pin_instruction(model: VideoModel, cache: KVCache, words: Tensor) -> None:
    """Encode hashed words, int64 [max_words], into the cache's pinned segment."""
    x = model.embedding.instruction(words[None])
    for layer, block in enumerate(model.layers):
        q, k, v = block.temporal.project(x)
        cache.pin(layer, k, v)
        x = x + block.temporal.merge(*exp_attention(q, k, v))
        x = block.finish(x)


def append_frame(model: VideoModel, cache: KVCache, frame: Tensor, state: Tensor) -> Tensor:
    """Encode one real frame into the cache.

    Args:
        frame: signal [patches, patch_dim]. state: normalised joints [J].

    Returns:
        The frame's embedding [slots, width], the anchor of clips that follow it.
    """
    embedded = model.embedding.real(frame, state)
    x = embedded[None, None]
    tables = model.rope.tables(torch.tensor([cache.count], device=x.device))
    last_layer = len(model.layers) - 1
    for layer, block in enumerate(model.layers):
        q, k, v = block.temporal.project(x)
        cache.write(layer, model.rope.rotate(k, tables), v)
        if layer == last_layer:
            break
        parts = (
            exp_attention(q[0], *cache.pinned(layer)),
            exp_attention(model.rope.rotate(q, tables)[0], *cache.ring(layer, writing=True)),
        )
        x = block.finish(x + _merged(block.temporal, parts))
    cache.advance()
    return embedded


def denoise_clip(
    model: VideoModel,
    cache: KVCache,
    noisy: Tensor,
    level: float,
    committed: Tensor,
    count: int,
    anchor: Tensor,
    last: Tensor,
) -> Tensor:
    """Predict the clean clip that follows the cache's newest frame.

    Args:
        noisy: [H, patches, patch_dim] at `level` (0 noise .. 1 data).
        committed: normalised commands [H, J], of which the first `count` are read.
        anchor: what `append_frame` returned for the newest frame.
        last: the newest frame's signal [patches, patch_dim].

    Returns:
        Clean signal [H, patches, patch_dim].
    """
    device = noisy.device
    levels = torch.tensor(level, device=device)
    counts = torch.tensor(count, device=device)
    x = model.embedding.clip(noisy, levels, committed, counts, anchor)[None]
    index = cache.count + torch.arange(len(noisy), device=device)
    tables = model.rope.tables(index)
    for layer, block in enumerate(model.layers):
        q, k, v = block.temporal.project(x)
        rotated = model.rope.rotate(q, tables)[0]
        parts = (
            exp_attention(q[0], *cache.pinned(layer)),
            exp_attention(rotated, *cache.ring(layer)),
            exp_attention(rotated, model.rope.rotate(k, tables)[0], v[0]),
        )
        x = block.finish(x + _merged(block.temporal, parts))
    return model.head(x[0], model.embedding.level(levels), last)


def _merged(attention: TemporalAttention, parts: tuple[tuple[Tensor, Tensor], ...]) -> Tensor:
    weighted = sum((part[0] for part in parts[1:]), parts[0][0])
    total = sum((part[1] for part in parts[1:]), parts[0][1])
    return attention.merge(weighted[None], total[None])

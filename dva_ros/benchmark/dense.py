"""What the peers run, plainly: a transformer in which every token attends to every token.

Frames of the context see themselves and the frames before them, a clip sees the context and
itself; without positions, embedding and head, which cost it nothing here. Its two caches are the
common ones: concatenated for every frame, or a pool of slots from which the valid ones are
gathered by index in every layer and step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KeysAndValues = Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]]
"""(layer, k, v of new tokens) -> k, v that they attend to."""


class DenseCache(Protocol):
    """Keys and values of the context, [batch, heads, tokens, d] in every layer."""

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the tokens of one more frame; gives those of the context, this frame included.

        Frames beyond the capacity are forgotten, the oldest first.
        """

    def read(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Those of the context and of a clip, given here and not kept."""


class ConcatenatingCache:
    """Grows by concatenation and is cropped from the front."""

    def __init__(self, depth: int, capacity: int) -> None:
        """`capacity` in tokens."""
        self._capacity = capacity
        self._held: list[tuple[Tensor, Tensor] | None] = [None] * depth

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        k, v = self.read(layer, k, v)
        held = k[:, :, -self._capacity :].clone(), v[:, :, -self._capacity :].clone()
        self._held[layer] = held
        return held

    def read(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        held = self._held[layer]
        if held is None:
            return k, v
        return torch.cat((held[0], k), dim=2), torch.cat((held[1], v), dim=2)


class GatherCache:
    """A pool of slots with a mask of valid ones; whoever reads gathers them by index."""

    def __init__(
        self,
        depth: int,
        shape: tuple[int, int, int, int],
        clip_tokens: int,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`shape`: batch, heads, capacity in tokens, d; the clip has slots behind the context."""
        batch, heads, capacity, d = shape
        self._capacity = capacity
        pool = (depth, batch, heads, capacity + clip_tokens, d)
        self._k, self._v = (torch.zeros(pool, dtype=dtype) for _ in range(2))
        self._valid = torch.zeros(depth, capacity + clip_tokens, dtype=torch.bool)
        self._written = [0] * depth

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        tokens = k.shape[2]
        slots = (self._written[layer] + torch.arange(tokens)) % self._capacity
        self._written[layer] += tokens
        self._store(layer, slots, k, v)
        return self._gather(layer)

    def read(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        slots = self._capacity + torch.arange(k.shape[2])
        self._store(layer, slots, k, v)
        gathered = self._gather(layer)
        self._valid[layer, slots] = False
        return gathered

    def _store(self, layer: int, slots: Tensor, k: Tensor, v: Tensor) -> None:
        self._k[layer].index_copy_(2, slots, k)
        self._v[layer].index_copy_(2, slots, v)
        self._valid[layer, slots] = True

    def _gather(self, layer: int) -> tuple[Tensor, Tensor]:
        valid = self._valid[layer].nonzero()[:, 0]
        return self._k[layer].index_select(2, valid), self._v[layer].index_select(2, valid)


class _DenseBlock(nn.Module):
    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, mlp_ratio * width)
        self.down = nn.Linear(mlp_ratio * width, width)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[batch, tokens, width] -> q, k, v, each [batch, heads, tokens, d]."""
        split = self.qkv(self.attention_norm(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Residuals of the attention [batch, heads, tokens, d] and of the MLP."""
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.mlp_norm(x))))


class DenseTransformer(nn.Module):
    """Pre-norm blocks over tokens [batch, tokens, width]."""

    def __init__(self, width: int, depth: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_DenseBlock(width, heads, mlp_ratio) for _ in range(depth))

    @property
    def layers(self) -> list[_DenseBlock]:
        """The blocks, first to last."""
        return cast(list[_DenseBlock], list(self.blocks))

    def append(self, cache: DenseCache, frame: Tensor) -> Tensor:
        """Encode the tokens of one more frame into the cache; gives their features."""
        return self._run(frame, cache.append)

    def denoise(self, cache: DenseCache, clip: Tensor) -> Tensor:
        """Features of a clip's tokens behind the cached context."""
        return self._run(clip, cache.read)

    def _run(self, x: Tensor, attended: KeysAndValues) -> Tensor:
        """All blocks; `attended` gives what a layer's queries attend to."""
        for layer, block in enumerate(self.layers):
            q, k, v = block.project(x)
            x = block.finish(x, F.scaled_dot_product_attention(q, *attended(layer, k, v)))
        return x

    def forward(self, context: Tensor, clip: Tensor, window: int) -> Tensor:
        """The same without a cache.

        Args:
            context: [batch, frames, tokens, width].
            clip: tokens of the clip [batch, n, width].
            window: frames that a frame sees, itself included; a clip sees as many.

        Returns:
            Features of the clip's tokens [batch, n, width].
        """
        frames, tokens = context.shape[1:3]
        frame = torch.arange(frames).repeat_interleave(tokens)
        newest = torch.cat((frame, torch.full((clip.shape[1],), frames - 1)))
        sees = (frame <= newest[:, None]) & (frame > newest[:, None] - window)
        sees_clip = torch.zeros(len(newest), clip.shape[1], dtype=torch.bool)
        sees_clip[len(frame) :] = True
        mask = torch.cat((sees, sees_clip), dim=1)
        x = torch.cat((context.flatten(1, 2), clip), dim=1)
        for block in self.layers:
            q, k, v = block.project(x)
            x = block.finish(x, F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
        return x[:, len(frame) :]

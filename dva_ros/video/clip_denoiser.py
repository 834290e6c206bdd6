"""Denoising steps on a CPU, without gradients: what `cached.denoise_clip` computes, in less time.

Weights are folded (`folded.py`); all that does not change between the steps of a prediction is
computed before them; results of products go to buffers that stay.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .folded import FoldedAttention, FoldedBlock, to_unit_length
from .kv_cache import KVCache
from .layout import NUM_PINNED
from .model import VideoModel

_NORM_EPS = 1e-5
"""Of torch's layer normalisation."""


class ClipDenoiser:
    """Clips after the newest frames of a cache's sessions: `begin`, then `step` for every step.

    The weights are those that the model has when it is made.
    """

    @torch.inference_mode()
    def __init__(self, model: VideoModel, cache: KVCache) -> None:
        self._model, self._cache, config = model, cache, model.config
        self._blocks = [FoldedBlock.of(block) for block in model.layers]
        self._eps = torch.tensor((config.head_dim * _NORM_EPS) ** 0.5, dtype=model.dtype)
        self._by_level: dict[float, tuple[Tensor, Tensor, Tensor]] = {}
        batch, slots, horizon = cache.batch, config.num_slots, config.horizon
        width, heads, d = config.width, config.heads, config.head_dim
        tokens = batch * horizon * slots

        def buffer(*shape: int) -> Tensor:
            return torch.empty(shape, dtype=model.dtype)

        self._x = buffer(batch, horizon, slots, width)
        self._qkv = buffer(tokens, 3 * width)
        self._hidden = buffer(tokens, width * config.mlp_ratio)
        self._mixed = buffer(tokens, width)
        self._split = buffer(3, batch, slots, heads, horizon, d)
        self._swapped, self._rotated = (torch.empty_like(self._split[:2]) for _ in range(2))
        # For a full ring; of one that is not, the beginning.
        self._scores = buffer(tokens * heads * cache.capacity)
        self._own_scores = buffer(batch * slots * heads, horizon, horizon)
        self._weighted = buffer(batch * slots * heads, horizon, d)
        self._frame_qkv = buffer(3, batch * horizon, heads, slots, d)
        self._frame_scores = buffer(batch * horizon * heads, slots, slots)
        self._frame_weighted = buffer(batch * horizon * heads, slots, d)

    @torch.inference_mode()
    def begin(self, committed: Tensor, count: Tensor, anchor: Tensor, last: Tensor) -> None:
        """What all steps of a prediction share; arguments as of `cached.denoise_clip`."""
        model, dtype = self._model, self._model.dtype
        embedding = model.embedding
        self._given = embedding.anchor(anchor)[:, None] + embedding.offset[:, None]
        self._given[:, :, -1] += embedding.commands(committed, count)
        self._last = last
        index = self._cache.next_index() + torch.arange(model.config.horizon)
        cosine, sine = model.rope.waves(index)
        self._tables, self._pinned = [], []
        for layer, block in enumerate(self._blocks):
            # Of queries and of keys, both of length 1. Rotation swaps the halves of a vector.
            gain = block.temporal.query_gain
            gains = torch.stack((gain, torch.full_like(gain, len(gain) ** 0.5)))[:, None]
            swapped_gains = gains.roll(len(gain) // 2, dims=-1)
            tables = cosine * gains, sine * swapped_gains
            self._tables.append([table.to(dtype)[:, None, None, None] for table in tables])
            k, v = self._cache.pinned(layer)
            self._pinned.append(((k.double() * gain).to(dtype), v))

    @torch.inference_mode()
    def step(self, noisy: Tensor, level: float) -> Tensor:
        """Predict clean clips.

        Args:
            noisy: [batch, H, patches, patch_dim] at `level`, in the model's dtype.
            level: 0 (noise) .. 1 (data).

        Returns:
            Clean signal [batch, H, patches, patch_dim].
        """
        model = self._model
        embedded, scale, shift = self._of_level(level)
        given = self._given + embedded
        patches = model.embedding.noisy_patch(noisy)
        torch.add(patches, given[..., :-1, :], out=self._x[..., :-1, :])
        self._x[..., -1, :].copy_(given[..., -1, :])
        x = self._x.view(-1, model.config.width)
        for layer, block in enumerate(self._blocks):
            self._attend_time(layer, block.temporal, x)
            self._attend_space(block.spatial, x)
            hidden = torch.mm(_normed(x, block.mlp_norm), block.up, out=self._hidden)
            x.addmm_(hidden.relu_().square_(), block.down)
        return model.head.draw(self._x, scale, shift, self._last)

    def _of_level(self, level: float) -> tuple[Tensor, Tensor, Tensor]:
        """Embedded for the clip [1, 1, 1, width], and the head's modulations. Samplers ask for
        the same few levels again and again."""
        if level not in self._by_level:
            embedded = self._model.embedding.level(torch.tensor([level]))
            modulations = self._model.head.modulations(embedded)
            self._by_level[level] = (embedded[:, None, None], *modulations)
        return self._by_level[level]

    def _attend_time(self, layer: int, attention: FoldedAttention, x: Tensor) -> None:
        """Add to x [tokens, width] what its tokens find at their place in other frames."""
        batch, horizon, slots, _ = self._x.shape
        _, _, _, heads, _, d = self._split.shape
        qkv = torch.mm(_normed(x, attention.norm), attention.qkv, out=self._qkv)
        split = qkv.view(batch, horizon, slots, 3, heads, d).permute(3, 0, 2, 4, 1, 5)
        own = self._split.copy_(split)
        unit = to_unit_length(own[:2], self._eps)
        cosine, sine = self._tables[layer]
        torch.mm(unit.view(-1, d), self._model.rope.swap, out=self._swapped.view(-1, d))
        torch.mul(unit, cosine, out=self._rotated).addcmul_(self._swapped, sine)
        queries, keys = self._rotated.view(2, -1, horizon, d)

        # Strided keys and values, of a ring that is not full: a copy costs less than they do.
        ring_k, ring_v = (
            ring.contiguous().view(-1, ring.shape[-2], d) for ring in self._cache.ring(layer)[:2]
        )
        shape = (len(queries), horizon, ring_k.shape[1])
        scores = self._scores[: math.prod(shape)].view(shape)
        torch.bmm(queries, ring_k.mT, out=scores).exp2_()
        torch.bmm(scores, ring_v, out=self._weighted)
        own_scores = torch.bmm(queries, keys.mT, out=self._own_scores).exp2_()
        self._weighted.baddbmm_(own_scores, own[2].view(-1, horizon, d))
        weighted = self._weighted.view(batch, slots, heads, horizon, d)
        total = scores.sum(-1).add_(own_scores.sum(-1)).view(batch, slots, heads, horizon, 1)
        # A product with one key, or a few, costs more than these.
        pinned_k, pinned_v = self._pinned[layer]
        for place in range(NUM_PINNED):
            here = slice(place, place + 1)
            score = (unit[0] * pinned_k[..., here, :]).sum(-1, keepdim=True).exp2_()
            weighted.addcmul_(score, pinned_v[..., here, :])
            total.add_(score)
        mixed = self._mixed.view(batch, horizon, slots, heads, d).permute(0, 2, 3, 1, 4)
        torch.div(weighted, total, out=mixed)
        x.addmm_(self._mixed, attention.out)

    def _attend_space(self, attention: FoldedAttention, x: Tensor) -> None:
        """Add to x [tokens, width] what its tokens find in their own frame."""
        _, frames, heads, slots, d = self._frame_qkv.shape
        qkv = torch.mm(_normed(x, attention.norm), attention.qkv, out=self._qkv)
        self._frame_qkv.copy_(qkv.view(frames, slots, 3, heads, d).permute(2, 0, 3, 1, 4))
        queries, keys = to_unit_length(self._frame_qkv[:2], self._eps).view(2, -1, slots, d)
        queries.mul_(attention.unit_gain)
        scores = torch.bmm(queries, keys.mT, out=self._frame_scores).exp2_()
        values = self._frame_qkv[2].view(-1, slots, d)
        weighted = torch.bmm(scores, values, out=self._frame_weighted)
        mixed = self._mixed.view(frames, slots, heads, d).permute(0, 2, 1, 3)
        torch.div(
            weighted.view(frames, heads, slots, d),
            scores.sum(-1).view(frames, heads, slots, 1),
            out=mixed,
        )
        x.addmm_(self._mixed, attention.out)


def _normed(x: Tensor, gain: Tensor) -> Tensor:
    return F.layer_norm(x, gain.shape, gain)

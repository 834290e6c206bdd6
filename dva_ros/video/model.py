"""The causal video model and its parallel training forward.

One sequence holds real frames and, after some of them, a noised clip. All clips are denoised in
one forward: that is context amortization. `cached.py` computes the same numbers step by step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask

from .attention import Rope, exp_attention
from .block_sparse import block_mask, sparse_attention
from .config import VideoModelConfig
from .embedding import Embedding
from .head import Head
from .layers import Block, TemporalAttention
from .layout import NUM_PINNED, ParallelLayout


@dataclass(frozen=True)
class ClipBatch:
    """What one training forward reads. Signals are -1..1, joints normalised, in model dtype.

    Attributes:
        words: hashed instruction, int64 [B, max_words].
        frames: real frames [B, T, patches, patch_dim].
        state: measured joints [B, T, J].
        clip_start: index of the last real frame before each clip, int64 [C].
        noisy: noised clips [B, C, H, patches, patch_dim].
        level: noise level of each clip, float32 [B, C]; 0 is noise, 1 is data.
        committed: commands of the clips' frames [B, C, H, J].
        count: number of them that are committed, int64 [B, C].
    """

    words: Tensor
    frames: Tensor
    state: Tensor
    clip_start: Tensor
    noisy: Tensor
    level: Tensor
    committed: Tensor
    count: Tensor


class VideoModel(nn.Module):
    """Embedding, blocks and head.

    Attributes:
        block_sparse: attend over time by FlexAttention, which skips what the mask hides, in the
            parallel forward; for long sequences on a GPU.
    """

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        self.config, self.block_sparse = config, False
        self.embedding = Embedding(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.rope = Rope(config.head_dim)
        self.head = Head(config)
        for name, parameter in self.blocks.named_parameters():
            if name.endswith(("out.weight", "down.weight")):
                nn.init.zeros_(parameter)
        for embedding in (self.embedding.real_patch, self.embedding.noisy_patch):
            nn.init.normal_(embedding.weight, std=0.5 * config.patch_dim**-0.5)
        nn.init.normal_(self.embedding.word.weight, std=0.5)

    @property
    def layers(self) -> list[Block]:
        """The blocks, first to last."""
        return cast(list[Block], list(self.blocks))

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of weights and activations."""
        return self.rope.swap.dtype

    def forward(self, batch: ClipBatch) -> Tensor:
        """Predicted clean clips [B, C, H, patches, patch_dim], each from its own context."""
        return self.read(self.clip_tokens(batch), batch)

    def read(self, tokens: Tensor, batch: ClipBatch) -> Tensor:
        """What `forward` returns, from `clip_tokens`."""
        last = batch.frames[:, batch.clip_start]
        return self.head(tokens, self.embedding.level(batch.level), last)

    def clip_tokens(self, batch: ClipBatch) -> Tensor:
        """Features of the clips after the last block, [B, C, H, slots, width]."""
        num_real = batch.frames.shape[1]
        num_clips, horizon = batch.noisy.shape[1:3]
        layout = ParallelLayout.build(num_real, batch.clip_start, horizon)
        windows = self.config.windows(self.config.context_frames)
        tables = self.rope.tables(layout.index)
        pinned_rows = slice(0, NUM_PINNED)
        tables[0][pinned_rows], tables[1][pinned_rows] = 1.0, 0.0

        real = self.embedding.real(batch.frames, batch.state)
        clips = self.embedding.clip(
            batch.noisy, batch.level, batch.committed, batch.count, real[:, batch.clip_start]
        )
        x = torch.cat((self.embedding.instruction(batch.words), real, clips.flatten(1, 2)), dim=1)
        masks = {window: self._mask(layout, window, x.shape[1]) for window in set(windows[:-1])}
        for block, window in zip(self.layers[:-1], windows[:-1], strict=True):
            x = x + self._attend_time(block.temporal, x, layout, tables, masks[window])
            x = block.finish(x)
        last_block = self.layers[-1]
        mask = self._mask(layout, windows[-1], num_clips * horizon)
        update = self._attend_time(last_block.temporal, x, layout, tables, mask, clips_only=True)
        x = last_block.finish(x[:, layout.first_clip :] + update)
        return x.unflatten(1, (num_clips, horizon))

    def _mask(self, layout: ParallelLayout, window: int, num_queries: int) -> Tensor | BlockMask:
        """What the last `num_queries` frames attend to, as `_attend_time` takes it."""
        if self.block_sparse:
            return block_mask(layout, window, num_queries)
        return layout.mask(window)[-num_queries:].to(self.dtype)

    def _attend_time(
        self,
        attention: TemporalAttention,
        x: Tensor,
        layout: ParallelLayout,
        tables: tuple[Tensor, Tensor],
        mask: Tensor | BlockMask,
        clips_only: bool = False,
    ) -> Tensor:
        """Everything attends to the pinned frame by content alone, to real frames as the mask
        says, and a clip's frames to each other."""
        q, k, v = attention.project(x)
        rotated_k = self.rope.rotate(k, tables)
        first = layout.first_clip
        if clips_only:
            q = q[..., first:, :]
            tables = (tables[0][first:], tables[1][first:])
        rotated_q = self.rope.rotate(q, tables)
        if isinstance(mask, BlockMask):
            pinned = exp_attention(q, k[..., :NUM_PINNED, :], v[..., :NUM_PINNED, :])
            seen = sparse_attention(rotated_q, rotated_k, v, mask)
            return attention.merge(
                (pinned[0] + seen[0]).to(q.dtype), (pinned[1] + seen[1]).to(q.dtype)
            )
        real = slice(NUM_PINNED, first)
        parts = (
            exp_attention(q, k[..., :NUM_PINNED, :], v[..., :NUM_PINNED, :]),
            exp_attention(rotated_q, rotated_k[..., real, :], v[..., real, :], mask),
        )
        weighted = parts[0][0] + parts[1][0]
        total = parts[0][1] + parts[1][1]
        shape = (layout.num_clips, layout.horizon)
        own, own_total = exp_attention(
            rotated_q[..., -shape[0] * shape[1] :, :].unflatten(-2, shape),
            rotated_k[..., first:, :].unflatten(-2, shape),
            v[..., first:, :].unflatten(-2, shape),
        )
        own, own_total = own.flatten(-3, -2), own_total.flatten(-3, -2)
        if not clips_only:
            own = torch.cat((weighted[..., :first, :], weighted[..., first:, :] + own), dim=-2)
            own_total = torch.cat((total[..., :first, :], total[..., first:, :] + own_total), -2)
            return attention.merge(own, own_total)
        return attention.merge(weighted + own, total + own_total)

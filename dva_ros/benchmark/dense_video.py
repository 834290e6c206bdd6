"""The video model with dense attention, to compare the quality of the shipped pattern with.

Shipped: a token attends to the same place of other frames (time), then to its own frame (space).
Here: it attends to every token of every frame that it sees, once. Embedding, head, training and
all else are the same. Only the parallel forward exists: enough to train and to measure.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from ..video.attention import exp_attention
from ..video.config import VideoModelConfig
from ..video.layers import Mlp, TemporalAttention
from ..video.layout import NUM_PINNED, ParallelLayout
from ..video.model import ClipBatch, VideoModel


class _DenseBlock(nn.Module):
    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        self.temporal = TemporalAttention(config)
        self.mlp = Mlp(config)


class DenseVideoModel(VideoModel):
    """See above; its blocks have no attention of their own within a frame."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__(config)
        blocks = nn.ModuleList(_DenseBlock(config) for _ in range(config.depth))
        for name, parameter in blocks.named_parameters():
            if name.endswith(("out.weight", "down.weight")):
                nn.init.zeros_(parameter)
        self.blocks = blocks

    def clip_tokens(self, batch: ClipBatch) -> Tensor:
        """As of `VideoModel`."""
        num_real = batch.frames.shape[1]
        num_clips, horizon = batch.noisy.shape[1:3]
        layout = ParallelLayout.build(num_real, batch.clip_start, horizon)
        mask = layout.mask(self.config.context_frames).to(self.dtype)
        real = self.embedding.real(batch.frames, batch.state)
        clips = self.embedding.clip(
            batch.noisy, batch.level, batch.committed, batch.count, real[:, batch.clip_start]
        )
        words = self.embedding.instruction(batch.words)
        slots = self.config.num_slots
        # Tokens of one frame share its index; a token sees all tokens of a frame or none.
        cosine, sine = (
            table.repeat_interleave(slots, 0) for table in self.rope.tables(layout.index)
        )
        cosine[: NUM_PINNED * slots], sine[: NUM_PINNED * slots] = 1.0, 0.0
        mask = mask.repeat_interleave(slots, 0).repeat_interleave(slots, 1)
        # Every token is a frame of one slot to the shipped layers.
        x = torch.cat((words, real, clips.flatten(1, 2)), dim=1).flatten(1, 2)[:, :, None]
        for block in self.blocks:
            assert isinstance(block, _DenseBlock)
            x = x + self._attend(block.temporal, x, (cosine, sine), mask, layout)
            x = x + block.mlp(x)
        first = layout.first_clip * slots
        return x[:, first:, 0].unflatten(1, (num_clips, horizon, slots))

    def _attend(
        self,
        attention: TemporalAttention,
        x: Tensor,
        tables: tuple[Tensor, Tensor],
        mask: Tensor,
        layout: ParallelLayout,
    ) -> Tensor:
        slots = self.config.num_slots
        pinned, first = NUM_PINNED * slots, layout.first_clip * slots
        clip = (layout.num_clips, layout.horizon * slots)
        q, k, v = attention.project(x)
        rotated_q, rotated_k = self.rope.rotate(q, tables), self.rope.rotate(k, tables)
        parts = (
            exp_attention(q, k[..., :pinned, :], v[..., :pinned, :]),
            exp_attention(
                rotated_q, rotated_k[..., pinned:first, :], v[..., pinned:first, :], mask
            ),
        )
        own = exp_attention(
            *(t[..., first:, :].unflatten(-2, clip) for t in (rotated_q, rotated_k, v))
        )
        total = [
            nn.functional.pad(part.flatten(-3, -2), (0, 0, first, 0)) + a + b
            for part, a, b in zip(own, *parts, strict=True)
        ]
        return attention.merge(total[0], total[1])


def dense_counterpart(config: VideoModelConfig) -> VideoModelConfig:
    """The depth at which the dense model has the parameters of the shipped one: a block of it has
    one attention less, so it has more blocks."""
    squares = 2 * config.mlp_ratio
    return replace(config, depth=round(config.depth * (8 + squares) / (4 + squares)))

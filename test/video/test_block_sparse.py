"""Block-sparse attention over time is the dense attention with a mask."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny import random_batch, random_model, tiny_config
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_mask

from dva_ros.video.block_sparse import block_mask
from dva_ros.video.layout import NUM_PINNED, ParallelLayout
from dva_ros.video.model import ClipBatch, VideoModel


def models() -> tuple[VideoModel, VideoModel, ClipBatch]:
    """Dense and block-sparse with equal weights in float64; windows shorter than the sequence,
    clips at irregular places."""
    config = tiny_config()
    dense, sparse = (random_model(config).double() for _ in range(2))
    sparse.block_sparse = True
    batch = random_batch(config, size=2, num_real=11, clip_start=[0, 3, 4, 10])
    values = {n: v.double() if v.is_floating_point() else v for n, v in vars(batch).items()}
    return dense, sparse, ClipBatch(**values)


def test_clips_equal_those_of_the_dense_mask() -> None:
    """Through torch's FlexAttention, which runs operation by operation on a CPU; sums of weights
    pass through float32."""
    dense, sparse, batch = models()
    with torch.no_grad():
        torch.testing.assert_close(sparse(batch), dense(batch), rtol=1e-5, atol=1e-5)


def plain_flex(
    q: Tensor, k: Tensor, v: Tensor, block_mask: BlockMask, **options: Any
) -> tuple[Tensor, SimpleNamespace]:
    """What FlexAttention computes, in plain operations that a CPU differentiates."""
    mask = create_mask(block_mask.mask_mod, 1, 1, q.shape[-2], k.shape[-2], "cpu")
    assert options["scale"] == 1.0 and options["return_aux"].lse
    scores = (q @ k.mT).masked_fill(~mask, -torch.inf)
    total = scores.exp().sum(-1, keepdim=True)
    attended = scores.exp() @ v / total.clamp_min(1e-30)
    return attended, SimpleNamespace(lse=total.clamp_min(1e-30).log()[..., 0])


def test_gradients_equal_those_of_the_dense_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in of the same mask: torch's FlexAttention refuses gradients on a CPU."""
    monkeypatch.setattr("dva_ros.video.block_sparse._flex", lambda device: plain_flex)
    dense, sparse, batch = models()
    expected, found = dense(batch), sparse(batch)
    weight = torch.randn_like(expected)
    (expected * weight).sum().backward()
    (found * weight).sum().backward()
    compared = 0
    for (name, one), other in zip(sparse.named_parameters(), dense.parameters(), strict=True):
        if other.grad is not None:
            scale = float(other.grad.abs().max())
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5 * scale)
            compared += name.startswith("blocks.")
    assert compared > 20


def test_hidden_blocks_are_not_computed() -> None:
    """A sequence of 512 frames with a window of 256 and clips of 8 after every fourth frame: four
    blocks of ten are left, and they hold all that is visible."""
    starts = torch.arange(0, 512, 4)
    layout = ParallelLayout.build(512, starts, 8)
    mask = block_mask(layout, 256, len(layout.index))
    assert 55 < mask.sparsity() < 65
    kept = mask.to_dense()[0, 0].repeat_interleave(128, 0).repeat_interleave(128, 1)
    seen = layout.mask(256).nonzero()
    assert kept[seen[:, 0], seen[:, 1] + NUM_PINNED].all()

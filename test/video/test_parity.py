"""The parallel training forward and the cached step compute the same numbers."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
from tiny import random_batch, random_model, tiny_config

from dva_ros.video.cached import append_frame, denoise_clip, pin_instruction
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.kv_cache import KVCache
from dva_ros.video.model import ClipBatch, VideoModel


@torch.inference_mode()
def step_by_step(model: VideoModel, batch: ClipBatch, capacity: int) -> torch.Tensor:
    """Every clip of every sequence from one cache, frame after frame; sequences side by side."""
    size, num_real = batch.frames.shape[:2]
    cache = KVCache(model.config, capacity, model.dtype, batch=size)
    pin_instruction(model, cache, batch.words)
    starts, predictions = batch.clip_start.tolist(), {}
    for n in range(num_real):
        frame = batch.frames[:, n]
        anchor = append_frame(model, cache, frame, batch.state[:, n])
        for clip in [k for k, start in enumerate(starts) if start == n]:
            predictions[clip] = denoise_clip(
                model,
                cache,
                batch.noisy[:, clip],
                batch.level[:, clip],
                batch.committed[:, clip],
                batch.count[:, clip],
                anchor,
                frame,
            )
    return torch.stack([predictions[clip] for clip in range(len(starts))], dim=1)


def row_of(batch: ClipBatch, row: int) -> ClipBatch:
    """One sequence alone."""
    values = {f.name: getattr(batch, f.name) for f in fields(batch)}
    alone = {n: v[row : row + 1] for n, v in values.items() if n != "clip_start"}
    return replace(batch, **alone)


@pytest.mark.parametrize("window", [6, 20])
def test_cached_clips_equal_the_parallel_forward_before_and_after_the_ring_wraps(
    window: int,
) -> None:
    """17 frames and a ring of 6 (wraps nearly three times) or 20 (never): at every n, for every
    d, with an instruction, in float32; two sequences side by side in a cache, and each alone."""
    config = tiny_config(context_frames=window)
    model = random_model(config)
    batch = random_batch(config, size=2, num_real=17, clip_start=list(range(17)))
    assert set(batch.count.flatten().tolist()) == {0, 1, 2}
    with torch.inference_mode():
        parallel = model(batch)
    together = step_by_step(model, batch, window)
    torch.testing.assert_close(together, parallel, rtol=1e-4, atol=1e-4)
    assert (together[0] - together[1]).abs().max() > 0.1
    for row in range(2):
        alone = step_by_step(model, row_of(batch, row), window)
        torch.testing.assert_close(alone, parallel[row : row + 1], rtol=1e-4, atol=1e-4)


def test_sessions_side_by_side_do_not_see_each_other() -> None:
    """Another frame in one session leaves the other's clips as they were."""
    config = tiny_config()
    model = random_model(config)
    batch = random_batch(config, size=2, num_real=9, clip_start=[3, 8])
    frames = batch.frames.clone()
    frames[1, 2] += 1
    before = step_by_step(model, batch, config.context_frames)
    after = step_by_step(model, replace(batch, frames=frames), config.context_frames)
    assert torch.equal(before[0], after[0])
    assert (before[1] - after[1]).abs().max() > 1e-3


def test_parity_would_notice_a_window_of_another_size() -> None:
    """The comparison is sharp: a ring one frame too small gives other numbers."""
    config = tiny_config()
    model = random_model(config)
    batch = random_batch(config, size=1, num_real=12, clip_start=[11])
    with torch.inference_mode():
        parallel = model(batch)
    cached = step_by_step(model, batch, config.context_frames - 1)
    assert (cached - parallel).abs().max() > 1e-3


def test_parity_holds_with_the_default_architecture() -> None:
    """The sizes that are trained, 20 patches and 14 joints, at two places of a sequence."""
    from dva_ros.spec import EMBEDDED_CELL

    config = VideoModelConfig(EMBEDDED_CELL, (0.0,) * 14, (1.0,) * 14, depth=2, context_frames=5)
    model = random_model(config)
    batch = random_batch(config, size=1, num_real=9, clip_start=[2, 8])
    with torch.inference_mode():
        parallel = model(batch)
    cached = step_by_step(model, batch, config.context_frames)
    torch.testing.assert_close(cached, parallel, rtol=1e-4, atol=1e-4)

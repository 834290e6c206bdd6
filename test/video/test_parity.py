"""The parallel training forward and the cached step compute the same numbers."""

from __future__ import annotations

import pytest
import torch
from tiny import random_batch, random_model, tiny_config

from dva_ros.video.cached import append_frame, denoise_clip, pin_instruction
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.kv_cache import KVCache
from dva_ros.video.model import ClipBatch, VideoModel


@torch.inference_mode()
def step_by_step(model: VideoModel, batch: ClipBatch, capacity: int, row: int) -> torch.Tensor:
    """Every clip of one sequence from a cache, frame after frame."""
    cache = KVCache(model.config, capacity, model.dtype)
    pin_instruction(model, cache, batch.words[row])
    starts, predictions = batch.clip_start.tolist(), {}
    for n in range(batch.frames.shape[1]):
        frame = batch.frames[row, n]
        anchor = append_frame(model, cache, frame, batch.state[row, n])
        for clip in [k for k, start in enumerate(starts) if start == n]:
            predictions[clip] = denoise_clip(
                model,
                cache,
                batch.noisy[row, clip],
                float(batch.level[row, clip]),
                batch.committed[row, clip],
                int(batch.count[row, clip]),
                anchor,
                frame,
            )
    return torch.stack([predictions[clip] for clip in range(len(starts))])


@pytest.mark.parametrize("window", [6, 20])
def test_cached_clips_equal_the_parallel_forward_before_and_after_the_ring_wraps(
    window: int,
) -> None:
    """17 frames and a ring of 6 (wraps nearly three times) or 20 (never): at every n, for every
    d, with an instruction, in float32."""
    config = tiny_config(context_frames=window)
    model = random_model(config)
    batch = random_batch(config, size=2, num_real=17, clip_start=list(range(17)))
    assert set(batch.count.flatten().tolist()) == {0, 1, 2}
    with torch.inference_mode():
        parallel = model(batch)
    for row in range(2):
        cached = step_by_step(model, batch, window, row)
        torch.testing.assert_close(cached, parallel[row], rtol=1e-4, atol=1e-4)


def test_parity_would_notice_a_window_of_another_size() -> None:
    """The comparison is sharp: a ring one frame too small gives other numbers."""
    config = tiny_config()
    model = random_model(config)
    batch = random_batch(config, size=1, num_real=12, clip_start=[11])
    with torch.inference_mode():
        parallel = model(batch)[0]
    cached = step_by_step(model, batch, config.context_frames - 1, 0)
    assert (cached - parallel).abs().max() > 1e-3


def test_parity_holds_with_the_default_architecture() -> None:
    """The sizes that are trained, 20 patches and 14 joints, at two places of a sequence."""
    from dva_ros.spec import EMBEDDED_CELL

    config = VideoModelConfig(EMBEDDED_CELL, (0.0,) * 14, (1.0,) * 14, depth=2, context_frames=5)
    model = random_model(config)
    batch = random_batch(config, size=1, num_real=9, clip_start=[2, 8])
    with torch.inference_mode():
        parallel = model(batch)[0]
    cached = step_by_step(model, batch, config.context_frames, 0)
    torch.testing.assert_close(cached, parallel, rtol=1e-4, atol=1e-4)

"""The references that the model is compared with compute what they claim."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from dva_ros.benchmark.dense import (
    ConcatenatingCache,
    DenseCache,
    DenseTransformer,
    GatherCache,
)

WIDTH, DEPTH, HEADS, TOKENS, CLIP, WINDOW = 16, 3, 2, 5, 7, 4

CACHES = {
    "concatenating": lambda: ConcatenatingCache(DEPTH, WINDOW * TOKENS),
    "gather": lambda: GatherCache(DEPTH, (2, HEADS, WINDOW * TOKENS, WIDTH // HEADS), CLIP),
}


def cached(model: DenseTransformer, cache: DenseCache, frames: torch.Tensor) -> None:
    for n in range(frames.shape[1]):
        model.append(cache, frames[:, n])


@pytest.mark.parametrize("make", CACHES.values(), ids=CACHES)
@pytest.mark.parametrize("frames", [1, 3, 4, 11])
def test_a_cached_clip_equals_the_forward_without_a_cache(
    make: Callable[[], DenseCache], frames: int
) -> None:
    """Before the window is full, when it is, and after frames were forgotten; asked twice."""
    torch.manual_seed(0)
    model = DenseTransformer(WIDTH, DEPTH, HEADS, mlp_ratio=2).requires_grad_(False)
    context, clip = torch.randn(2, frames, TOKENS, WIDTH), torch.randn(2, CLIP, WIDTH)
    expected = model(context, clip, WINDOW)
    cache = make()
    cached(model, cache, context)
    torch.testing.assert_close(model.denoise(cache, clip), expected)
    torch.testing.assert_close(model.denoise(cache, clip), expected)


def test_the_clip_attends_to_every_frame_of_the_window_and_to_none_before() -> None:
    """With one block nothing is passed on: only frames of the window change the clip."""
    torch.manual_seed(0)
    model = DenseTransformer(WIDTH, 1, HEADS, mlp_ratio=2).requires_grad_(False)
    context, clip = torch.randn(1, 6, TOKENS, WIDTH), torch.randn(1, CLIP, WIDTH)
    before = model(context, clip, WINDOW)
    for frame in range(6):
        changed = context.clone()
        changed[:, frame, 2] += 1
        same = torch.equal(model(changed, clip, WINDOW), before)
        assert same == (frame < 6 - WINDOW)

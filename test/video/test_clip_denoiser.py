"""The denoiser of a CPU computes what the plain cached step computes."""

from __future__ import annotations

import pytest
import torch
from tiny import random_batch, random_model, tiny_config

from dva_ros.benchmark.allocations import allocated_bytes
from dva_ros.video.cached import append_frame, denoise_clip, pin_instruction
from dva_ros.video.clip_denoiser import ClipDenoiser
from dva_ros.video.kv_cache import KVCache
from dva_ros.video.model import VideoModel

CONFIG = tiny_config()


class Session:
    """Two sessions side by side after some frames, in a ring of 6, and what a step of theirs
    reads."""

    @torch.inference_mode()
    def __init__(self, model: VideoModel, frames: int) -> None:
        self.model, dtype = model, model.dtype
        batch = random_batch(CONFIG, 2, frames + 1, [0])
        self.cache = KVCache(CONFIG, 6, dtype, batch=2)
        self.denoiser = ClipDenoiser(model, self.cache)
        self.frames, self.state = batch.frames.to(dtype), batch.state.to(dtype)
        self.noisy, self.count = batch.noisy[:, 0].to(dtype), batch.count[:, 0]
        self.committed = batch.committed[:, 0].to(dtype)
        pin_instruction(model, self.cache, batch.words)
        for n in range(frames):
            self.append(n)

    @torch.inference_mode()
    def append(self, n: int) -> None:
        self.last = self.frames[:, n]
        self.anchor = append_frame(self.model, self.cache, self.last, self.state[:, n])

    @torch.inference_mode()
    def plain(self, level: float) -> torch.Tensor:
        levels = torch.full((2,), level)
        clip = self.committed, self.count, self.anchor, self.last
        return denoise_clip(self.model, self.cache, self.noisy, levels, *clip)

    def begin(self) -> None:
        self.denoiser.begin(self.committed, self.count, self.anchor, self.last)

    def step(self, level: float) -> torch.Tensor:
        return self.denoiser.step(self.noisy, level)


@pytest.mark.parametrize("frames", [1, 4, 6, 17])
def test_a_step_is_that_of_the_plain_computation(frames: int) -> None:
    """In float64 to 1e-9: the ring nearly empty, filling, full and wrapped, at several levels of
    one prediction, one of them asked for twice; and again after one more frame."""
    session = Session(random_model(CONFIG).double(), frames)
    for newest in (None, frames):
        if newest is not None:
            session.append(newest)
        session.begin()
        for level in (0.0, 0.25, 0.0, 0.9):
            torch.testing.assert_close(
                session.step(level), session.plain(level), rtol=1e-9, atol=1e-9
            )


def test_a_gain_beyond_its_bound_is_bounded_here_too() -> None:
    """Folded into the weights as the plain computation reads it."""
    model = random_model(CONFIG).double()
    for block in model.layers:
        for attention in (block.temporal, block.spatial):
            attention.head_norm.gain.data *= 50
    session = Session(model, 4)
    session.begin()
    plain = session.plain(0.25)
    torch.testing.assert_close(session.step(0.25), plain, rtol=1e-8, atol=1e-8)


def test_vectors_near_zero_are_normalised_alike() -> None:
    """Where the epsilon of the layer normalisation decides."""
    model = random_model(CONFIG).double()
    for block in model.layers:
        for attention in (block.temporal, block.spatial):
            attention.qkv.weight.data[: 2 * CONFIG.width] *= 1e-3
    session = Session(model, 4)
    session.begin()
    torch.testing.assert_close(session.step(0.25), session.plain(0.25), rtol=1e-9, atol=1e-9)


def test_in_bfloat16_it_is_as_near_to_the_exact_numbers_as_the_plain_computation() -> None:
    """Both against float64 with the same rounded weights and inputs: within 30 % of its error."""
    rounded = random_model(CONFIG).bfloat16()
    exact = Session(random_model(CONFIG).bfloat16().double(), 9)
    exact.frames, exact.state, exact.noisy, exact.committed = (
        value.bfloat16().double()
        for value in (exact.frames, exact.state, exact.noisy, exact.committed)
    )
    exact.cache.reset()
    session = Session(rounded, 9)
    for n in range(9):
        exact.append(n)
    expected = exact.plain(0.25)
    session.begin()
    plain, fast = (
        (found.double() - expected).square().mean().sqrt()
        for found in (session.plain(0.25), session.step(0.25))
    )
    assert 0 < fast < 1.3 * plain


def test_results_of_products_go_to_buffers_that_stay() -> None:
    """A step asks for less than half of the memory that the plain computation asks for."""
    session = Session(random_model(CONFIG), 9)
    session.begin()
    assert allocated_bytes(lambda: session.step(0.5)) < 0.5 * allocated_bytes(
        lambda: session.plain(0.5)
    )

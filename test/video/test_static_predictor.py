"""The predictor of a GPU, on the host: the same clips, no waiting, any order that is allowed."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from host_synchronisations import HostSynchronisations
from overtaking import FramesOvertakeClips
from tiny import random_batch, random_frames, random_model, tiny_config

from dva_ros.benchmark.references import GATHER, DenseReference
from dva_ros.errors import UserError
from dva_ros.video.cached import append_frame, denoise_clip, pin_instruction
from dva_ros.video.execution import CudaExecution, HostExecution
from dva_ros.video.kv_cache import ContextCache, ContextReader, KVCache
from dva_ros.video.loading import load_predictor
from dva_ros.video.predictor import VideoPredictor
from dva_ros.video.ring_storage import FLOAT8
from dva_ros.video.static_cache import ContextView, StaticCache
from dva_ros.video.static_predictor import StaticPredictor

CONFIG = tiny_config(context_frames=9, local_frames=6)
"""Rings of 16 and of 8 slots."""
FRAMES = random_frames(CONFIG, 30)
STATES = np.random.default_rng(3).normal(size=(30, 3)).astype(np.float32)
COMMITTED = [STATES[:count] for count in range(CONFIG.max_committed + 1)]


def both(dtype: torch.dtype) -> tuple[VideoPredictor, StaticPredictor]:
    model = random_model(CONFIG).to(dtype)
    return VideoPredictor(model, num_steps=3), StaticPredictor(model, num_steps=3)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 0), (torch.float32, 1)])
def test_clips_are_those_of_the_plain_predictor(dtype: torch.dtype, tolerance: int) -> None:
    """In rings of 9 and 6 that wrap, for every d, other steps, and after a reset: equal
    pixels in float64, at most one level apart in float32, where sums have another order."""
    plain, static = both(dtype)
    for instruction, frames in (("lift the box", 30), ("put it down", 4)):
        plain.reset(instruction)
        static.reset(instruction)
        for n in range(frames):
            assert static.append(FRAMES[n], STATES[n]) == plain.append(FRAMES[n], STATES[n])
            committed, steps = COMMITTED[n % 3], None if n % 2 else 2
            found = static.predict(committed, steps).astype(int)
            assert np.abs(found - plain.predict(committed, steps)).max() <= tolerance
        assert static.num_frames == plain.num_frames == frames


@torch.inference_mode()
def denoised(
    cache: ContextCache, kept: ContextReader | None = None, frames: int = 17
) -> torch.Tensor:
    """Signal of one step in float64 after some frames."""
    model = random_model(CONFIG).double()
    batch = random_batch(CONFIG, 2, frames, [frames - 1])
    signal = batch.frames.double()
    pin_instruction(model, cache, batch.words)
    for n in range(frames):
        anchor = append_frame(model, cache, signal[:, n], batch.state[:, n].double())
    if isinstance(kept, ContextView):
        kept.refresh()
    clip = batch.noisy[:, 0].double(), batch.level[:, 0], batch.committed[:, 0].double()
    return denoise_clip(model, kept or cache, *clip, batch.count[:, 0], anchor, signal[:, -1])


@pytest.mark.parametrize("frames", [3, 6, 17])
def test_a_step_over_the_static_cache_is_that_over_the_plain_one(frames: int) -> None:
    """Before the ring is full, full, and wrapped, two sessions side by side: to 1e-11."""
    plain = denoised(KVCache(CONFIG, 9, torch.float64, batch=2), frames=frames)
    cache = StaticCache(CONFIG, 9, torch.float64, batch=2)
    torch.testing.assert_close(denoised(cache, frames=frames), plain, rtol=1e-11, atol=1e-11)
    view = ContextView(cache)
    cache.reset()
    seen = denoised(cache, view, frames)
    torch.testing.assert_close(seen, plain, rtol=1e-11, atol=1e-11)


def test_a_float8_cache_is_near_the_plain_one_in_half_the_memory_of_bfloat16() -> None:
    """One step against float64: the mean error stays below 3 % of the signal's deviation (float8
    keeps 3 bits of mantissa: 6 % of one number); and no larger cache."""
    plain = denoised(KVCache(CONFIG, 9, torch.float64, batch=2))
    small = denoised(StaticCache(CONFIG, 9, torch.float64, batch=2, kept=FLOAT8))
    error = (small - plain).abs().mean() / plain.std()
    assert 1e-5 < error < 0.03
    wide = tiny_config(width=64, heads=1)
    sizes = [
        sum(t.nbytes for t in StaticCache(wide, 254, torch.bfloat16, kept=kept).buffers())
        for kept in (FLOAT8, torch.bfloat16)
    ]
    assert sizes[0] < 0.52 * sizes[1]


def test_float8_scales_keep_large_and_small_frames_apart() -> None:
    """Frames a million times larger than others, in one ring: each keeps its own 3 bits."""
    cache = StaticCache(CONFIG, 9, torch.float32, kept=FLOAT8)
    generator = torch.Generator().manual_seed(0)
    shape = (1, CONFIG.num_slots, CONFIG.heads, 1, CONFIG.head_dim)
    written = [torch.randn(shape, generator=generator) * 10.0**power for power in (-3, 0, 3)]
    for values in written:
        cache.write(0, values, values)
        cache.advance()
    for slot, values in enumerate(written):
        found = cache.ring(0)[0][..., slot : slot + 1, :]
        # Half a unit of the last bit, of numbers down to a 2^14th of the largest.
        assert ((found - values).abs() <= values.abs() / 16 + values.abs().max() / 2**14).all()


def test_nothing_waits_for_the_device_inside_a_prediction() -> None:
    """No operation that the host must see the result of, no copy between host and device: in
    appending, in taking the context and in all denoising steps, with both kinds of cache."""
    for kept in (None, FLOAT8):
        static = StaticPredictor(
            random_model(CONFIG).to("meta"), execution=HostExecution("meta"), cache_dtype=kept
        )
        with torch.inference_mode(), HostSynchronisations() as waited:
            static.pin_work()
            static.append_work()
            static.begin_work()
            static.sample_work(4)
        assert waited.found == []


def test_waiting_would_be_noticed() -> None:
    """The counter is sharp: it sees the plain cache's index, a gather by index, and a value read
    by the host."""
    model = random_model(CONFIG).to("meta")
    cache = KVCache(CONFIG, 9, torch.float32, "meta")
    frame = torch.zeros(1, CONFIG.num_patches, CONFIG.patch_dim, device="meta")
    with torch.inference_mode(), HostSynchronisations() as waited:
        append_frame(model, cache, frame, torch.zeros(1, 3, device="meta"))
    assert len(waited.found) == 1
    with HostSynchronisations() as waited:
        DenseReference(GATHER, CONFIG, 5, torch.float32).denoise()
    assert len(waited.found) >= CONFIG.depth
    with HostSynchronisations() as waited:
        float(torch.ones(1))
    assert len(waited.found) == 1


def test_buffers_never_move_and_never_grow() -> None:
    """Through appends, wraps, other numbers of steps and resets."""
    _, static = both(torch.float32)

    def addresses() -> list[int]:
        return [tensor.data_ptr() for tensor in (*static._cache.buffers(), *static.newest())]

    before = addresses()
    for instruction in ("lift", "put down"):
        static.reset(instruction)
        for frame, state in zip(FRAMES, STATES, strict=True):
            static.append(frame, state)
        static.predict(COMMITTED[1], 2)
    assert addresses() == before


def overtaken(obeys: bool, appended: int) -> bool:
    """Whether a clip is the plain one though frames were appended before it was sampled."""
    model = random_model(CONFIG).double()
    plain = VideoPredictor(model, num_steps=2)
    execution = FramesOvertakeClips(obeys)
    static = StaticPredictor(model, num_steps=2, execution=execution)
    for frame, state in zip(FRAMES[:9], STATES[:9], strict=True):
        plain.append(frame, state)
        static.append(frame, state)
    expected = plain.predict(COMMITTED[2])
    pending = static.start(COMMITTED[2])
    for n in range(9, 9 + appended):
        static.append(FRAMES[n], STATES[n])
    assert not pending.done()
    execution.finish()
    return np.array_equal(pending.result(), expected)


@pytest.mark.parametrize("appended", [1, 2, 7])
def test_frames_that_come_while_a_clip_is_sampled_do_not_change_it(appended: int) -> None:
    """Also more of them than the ring has spare slots (2): those wait for the clip."""
    assert overtaken(obeys=True, appended=appended)


def test_lanes_that_do_not_wait_for_each_other_would_be_noticed() -> None:
    """The schedule is sharp: without the marks the context is another one."""
    assert not overtaken(obeys=False, appended=1)


class HeldMark:
    """Reached when the test says so."""

    def __init__(self) -> None:
        self.reached = threading.Event()

    def wait(self) -> None:
        assert self.reached.wait(10)


def test_on_a_gpu_nobody_but_a_thread_of_its_own_waits_for_a_clip() -> None:
    """`once` of CUDA returns before the mark is reached; it needs no GPU for that."""
    mark = HeldMark()
    clip = CudaExecution().once(mark, threading.current_thread)
    assert not clip.done()
    mark.reached.set()
    assert clip.result(10) is not threading.current_thread()


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """By name, and what to set instead."""
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="no GPU here: set it to cpu"):
            load_predictor(tmp_path, "cuda")
    with pytest.raises(UserError, match="a float8 cache needs device cuda"):
        load_predictor(tmp_path, "cpu", float8_cache=True)

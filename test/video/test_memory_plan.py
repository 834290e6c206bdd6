"""Memory is known before it is taken, and too little of it is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tiny import random_batch, random_model, tiny_config
from torch.profiler import ProfilerActivity, profile

from dva_ros.__main__ import main
from dva_ros.errors import UserError
from dva_ros.video.cached import append_frame, denoise_clip, pin_instruction
from dva_ros.video.live_bytes import LiveBytes
from dva_ros.video.memory_plan import RESERVE_BYTES, CacheSize, MemoryPlan, free_bytes
from dva_ros.video.profiles import profile_config
from dva_ros.video.ring_storage import FLOAT8
from dva_ros.video.static_cache import StaticCache

CONFIG = tiny_config(width=64, context_frames=100)
CONTEXT, BATCH = 100, 2


@pytest.fixture(scope="module")
def plans() -> dict[str, MemoryPlan]:
    """Of the profiles, each with its own context."""
    return {
        name: MemoryPlan.of(profile_config(name), torch.bfloat16, [CacheSize(256)])
        for name in ("gpu", "large")
    }


def allocated_peak(call: Callable[[], object]) -> int:
    """What torch's allocator of the CPU held more at most, during one call."""
    call()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    now = peak = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return peak


@pytest.mark.parametrize("kept", [None, FLOAT8])
def test_the_plan_is_what_is_really_allocated(kept: torch.dtype | None) -> None:
    """Weights and caches to the byte, temporaries within 3 %: a small model and its cache are
    made on the CPU and run, with its allocator watched."""
    plan = MemoryPlan.of(CONFIG, torch.float32, [CacheSize(CONTEXT, BATCH), CacheSize(6)])
    model = random_model(CONFIG).requires_grad_(False)
    caches = [
        StaticCache(CONFIG, context, torch.float32, batch=batch, kept=kept)
        for context, batch in ((CONTEXT, BATCH), (6, 1))
    ]
    assert plan.weights == sum(t.nbytes for t in (*model.parameters(), *model.buffers()))
    held = sum(tensor.nbytes for cache in caches for tensor in cache.buffers())
    assert held == (plan.float8_cache if kept else plan.cache)

    batch = random_batch(CONFIG, BATCH, 1, [0])
    clip = batch.noisy[:, 0], batch.level[:, 0], batch.committed[:, 0], batch.count[:, 0]

    @torch.inference_mode()
    def run() -> None:
        pin_instruction(model, caches[0], batch.words)
        anchor = append_frame(model, caches[0], batch.frames[:, 0], batch.state[:, 0])
        denoise_clip(model, caches[0], *clip, anchor, batch.frames[:, 0])

    peak = allocated_peak(run)
    planned = plan.float8_activations if kept else plan.activations
    assert planned == pytest.approx(peak, rel=0.03)
    assert plan.needed(kept is not None) == plan.weights + held + planned + RESERVE_BYTES


def test_live_bytes_are_those_at_the_worst_moment() -> None:
    """Two tensors of 4 kB live at once of three; what was there before counts nothing, nor do
    views and results in place."""
    given = torch.zeros(1000)
    with LiveBytes() as live:
        second = (given + 1) + 1
        second.view(10, 100).add_(given[0])
    assert (live.peak, live.now) == (8000, 4000)
    del second
    assert live.now == 0


@pytest.mark.parametrize(
    ("name", "parameters", "patches", "horizon"),
    [("gpu", 15e6, 63, 8), ("large", 1e9, 192, 16)],
)
def test_profiles_have_the_size_that_they_are_named_for(
    plans: dict[str, MemoryPlan], name: str, parameters: float, patches: int, horizon: int
) -> None:
    """Within 5 % of the parameters; 256 frames; a float8 cache of half the size."""
    config, plan = profile_config(name), plans[name]
    assert plan.parameters == pytest.approx(parameters, rel=0.05)
    assert (config.num_patches, config.horizon, config.context_frames) == (patches, horizon, 256)
    assert plan.float8_cache == pytest.approx(plan.cache / 2, rel=0.02)
    if name == "large":
        # By hand: 9 global layers of 264 slots and 17 local ones of 72, keys and values of 193
        # tokens, width 1536, 2 bytes.
        slots = 9 * 264 + 17 * 72
        assert plan.cache == pytest.approx(slots * 2 * 193 * 1536 * 2, rel=0.01)
        assert plan.needed() < 80e9


def test_too_small_a_device_is_refused_with_figures(plans: dict[str, MemoryPlan]) -> None:
    """Before anything is allocated; what would fit is named."""
    plan = plans["large"]
    plan.require(plan.needed(), "a GPU")
    with pytest.raises(UserError, match=r"a GPU has 7\.00 GB free; needed are weights 2\.01 \+"):
        plan.require(int(7e9), "a GPU")
    with pytest.raises(UserError, match="a float8 cache would do with"):
        plan.require(plan.needed() - 1, "a GPU")
    assert free_bytes("cpu") > 2**28


def test_the_benchmark_prints_the_plan_and_refuses(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`bench --profile gpu` on a machine with 1 GB."""
    monkeypatch.setattr("dva_ros.video.memory_plan.free_bytes", lambda device: 10**9)
    assert main(["bench", "--profile", "gpu", "--contexts", "16", "--no-nodes"]) == 2
    output = capsys.readouterr()
    assert "15.5M parameters" in output.out
    assert "has 1.00 GB free" in output.err

"""The guard against slowing down: ratios of one run, held against those that were stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from dva_ros.benchmark.hardware import dtype_name
from dva_ros.benchmark.ratios import Ratios, StoredRatios
from dva_ros.resources import model_path
from dva_ros.video.checkpoint import load_model
from dva_ros.video.precision import fast_dtype

STORED = Path(__file__).parents[1] / "data" / "benchmark_ratios.yaml"
FACTOR = 1.5
"""What a busy machine may add."""

TRIES = 3
"""A slow-down is there every time, other work of the machine is not."""


@pytest.mark.slow
def test_no_ratio_is_worse_than_stored() -> None:
    """Of the shipped checkpoint: a long context over a short one, the cache over none, ours over
    dense attention."""
    stored = StoredRatios.read(STORED)
    if dtype_name(fast_dtype()) != stored.dtype:
        pytest.skip(f"stored in {stored.dtype}, fast here is {dtype_name(fast_dtype())}")
    model = load_model(model_path("cpu/video"), fast_dtype())
    worse: list[str] = []
    for _ in range(TRIES):
        fresh = Ratios.measure(model, model.config.num_steps)
        worse = fresh.worse_than(stored.ratios, FACTOR)
        if not worse:
            return
    pytest.fail("; ".join(worse))

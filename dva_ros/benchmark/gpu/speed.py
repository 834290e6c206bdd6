"""A profile timed on a device, as ``video_predictor`` uses it there.

``python -m dva_ros.benchmark.gpu.speed --profile gpu --device cuda`` writes times and memory as
JSON after every row, so that rows stay where a later one fails or takes too long. Times are of
the host: copies, launches and waiting for the result are in them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ...compute.timing import Work, time_in_turns
from ...video.memory_plan import CacheSize, MemoryPlan, free_bytes
from ...video.model import VideoModel
from ...video.precision import fast_dtype
from ...video.profiles import PROFILES, profile_config
from ...video.ring_storage import FLOAT8
from ...video.static_predictor import StaticPredictor
from ..models import random_video_model


@dataclass(frozen=True)
class Row:
    """One predictor.

    Attributes:
        context_frames: of its cache, which is full.
        float8_cache: keys and values in eight bits.
        append_p50_ms, append_p99_ms: from an image until it is encoded, with nothing else under
            way.
        predict_p50_ms, predict_p99_ms: from a request to the pixels of its clip.
        planned_bytes: of device memory by the plan, with its reserve.
        peak_bytes: that torch allocated on the device at most; None on a CPU.
    """

    context_frames: int
    float8_cache: bool
    append_p50_ms: float
    append_p99_ms: float
    predict_p50_ms: float
    predict_p99_ms: float
    planned_bytes: int
    peak_bytes: int | None


def rows(model: VideoModel, contexts: tuple[int, ...], repeats: int) -> Iterator[Row]:
    """Time predictors of both kinds of cache, the shortest context first.

    Raises:
        UserError: the device has too little memory for the next row.
    """
    device = model.embedding.slot.device
    for context in contexts:
        plan = MemoryPlan.of(model.config, model.dtype, [CacheSize(context)])
        for float8 in (False, True):
            if device.type == "cuda":
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
                # The weights are there already.
                plan.require(free_bytes(device) + plan.weights, "the GPU", float8)
            yield _row(model, context, float8, plan, repeats)


def _row(model: VideoModel, context: int, float8: bool, plan: MemoryPlan, repeats: int) -> Row:
    device, spec = model.embedding.slot.device, model.config.spec
    predictor = StaticPredictor(
        model, context_frames=context, cache_dtype=FLOAT8 if float8 else None
    )
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (spec.mosaic_height, spec.mosaic_width, 3), dtype=np.uint8)
    state = np.zeros(spec.num_joints, np.float32)
    prefix = np.zeros((model.config.typical_committed, spec.num_joints), np.float32)

    def append() -> None:
        predictor.append(picture, state)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(context):
        predictor.append(picture, state)
    works = {
        "append": Work(append, repeats),
        "predict": Work(lambda: predictor.predict(prefix), repeats),
    }
    timings = time_in_turns(works)
    return Row(
        context_frames=context,
        float8_cache=float8,
        append_p50_ms=timings["append"].p50_ms,
        append_p99_ms=timings["append"].p99_ms,
        predict_p50_ms=timings["predict"].p50_ms,
        predict_p99_ms=timings["predict"].p99_ms,
        planned_bytes=plan.needed(float8),
        peak_bytes=torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
    )


def main() -> int:
    """Time a profile row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, required=True)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    small = args.device == "cpu"
    contexts, repeats = ((16,), 5) if small else ((16, 256, 1024), 40)
    config = profile_config(args.profile)
    # In bfloat16 the fixed buffers are slow on a CPU: 0.7 s a frame instead of 4 ms.
    dtype = torch.float32 if small else fast_dtype(args.device)
    model = random_video_model(config).to(args.device, dtype)
    report: dict[str, object] = {
        "profile": args.profile,
        "parameters": sum(p.numel() for p in model.parameters()),
        "dtype": str(dtype),
        "denoising_steps": config.num_steps,
        "repeats": repeats,
    }
    found: list[dict[str, object]] = []
    for row in rows(model, contexts, repeats):
        found.append(asdict(row))
        print(row, flush=True)
        args.json.write_text(json.dumps({**report, "rows": found}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

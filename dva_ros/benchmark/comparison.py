"""Our denoising step against dense attention at equal width, depth, tokens, clip and context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..compute.ceilings import products_seconds
from ..compute.products import denoise_products
from ..compute.timing import Timing, Work, time_in_turns
from ..video.config import VideoModelConfig
from .hardware import dtype_name
from .models import random_video_model
from .references import DENSE_DTYPE, GATHER, DenseReference
from .workloads import VideoSessions

CONTEXT_FRAMES = 256
NUM_CALLS = 3
"""Calls that `ShapeComparison.measure` compares."""


@dataclass(frozen=True)
class ShapeComparison:
    """One denoising step of both, timed in turns.

    Attributes:
        shape: for people.
        dtype: of ours.
        ours: cached step of the architecture that this project ships, at this shape.
        dense: dense attention over all tokens, cache gathered by index, in float32.
        dense_same_dtype: the same in the dtype of ours.
        ratio: p50 of `dense` over p50 of `ours`.
        own_shapes_gflop_s: rate of our matrix shapes, each alone.
        own_shapes_fraction: their time over p50 of `ours`: its share of that ceiling.
    """

    shape: str
    dtype: str
    ours: Timing
    dense: Timing
    dense_same_dtype: Timing
    ratio: float
    own_shapes_gflop_s: float
    own_shapes_fraction: float

    @staticmethod
    def measure(
        config: VideoModelConfig,
        repeats: int,
        context: int = CONTEXT_FRAMES,
        progress: Callable[[], object] = lambda: None,
    ) -> ShapeComparison:
        """Time all three, with random weights."""
        model = random_video_model(config)
        sessions = VideoSessions(model, context, 1, config.num_steps)
        dense = DenseReference(GATHER, config, context, DENSE_DTYPE)
        same = DenseReference(GATHER, config, context, model.dtype)
        calls = {"ours": sessions.denoise, "dense": dense.denoise, "same": same.denoise}
        timings = time_in_turns({n: Work(call, repeats) for n, call in calls.items()}, progress)
        products = denoise_products(config, context, 1)
        alone_s = products_seconds(products, model.dtype)
        ours, dense_timing = timings["ours"], timings["dense"]
        return ShapeComparison(
            shape=(
                f"width {config.width}, depth {config.depth}, {config.num_slots} tokens a frame, "
                f"clip {config.horizon}, {context} frames of context"
            ),
            dtype=dtype_name(model.dtype),
            ours=ours,
            dense=dense_timing,
            dense_same_dtype=timings["same"],
            ratio=dense_timing.p50_ms / ours.p50_ms,
            own_shapes_gflop_s=1e-9 * sum(p.operations for p in products) / alone_s,
            own_shapes_fraction=1e3 * alone_s / ours.p50_ms,
        )

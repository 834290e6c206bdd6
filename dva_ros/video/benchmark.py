"""Latency of one appended frame and of one prediction, by frames of context."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from dva_ros.spec import EMBEDDED_CELL

from .checkpoint import load_model
from .config import VideoModelConfig
from .model import ClipBatch, VideoModel
from .precision import fast_dtype
from .predictor import VideoPredictor

CONTEXTS = (16, 64, 256)
_WARM_UP = 3


@dataclass(frozen=True)
class Latency:
    """Milliseconds over repeated calls."""

    p50: float
    p99: float


@dataclass(frozen=True)
class ContextResult:
    """Latencies with a full ring of `frames` frames.

    Attributes:
        frames: frames of context.
        append: encoding one more frame.
        predict: a whole prediction, pixels included.
        without_cache: a prediction that computes the whole context again in every denoising
            step, all frames in parallel, as a model without a cache does.
    """

    frames: int
    append: Latency
    predict: Latency
    without_cache: Latency


@dataclass(frozen=True)
class BenchmarkReport:
    """What was measured, on what."""

    hardware: str
    threads: int
    dtype: str
    parameters: int
    num_steps: int
    results: tuple[ContextResult, ...]

    @property
    def ratio(self) -> float:
        """Median cost of a prediction at the longest context over that at the shortest."""
        return self.results[-1].predict.p50 / self.results[0].predict.p50

    def table(self) -> str:
        """For people."""
        lines = [
            f"{self.hardware}, {self.threads} thread(s), {self.dtype}, "
            f"{self.parameters / 1e6:.1f}M parameters, {self.num_steps} denoising steps",
            "milliseconds, p50 / p99, warm-up left out",
            f"{'context':>8} {'append':>16} {'predict':>16} {'without cache':>18}",
        ]
        for result in self.results:
            cells = (result.append, result.predict, result.without_cache)
            texts = [f"{cell.p50:.1f} / {cell.p99:.1f}" for cell in cells]
            lines.append(f"{result.frames:>8} {texts[0]:>16} {texts[1]:>16} {texts[2]:>18}")
        first, last = self.results[0].frames, self.results[-1].frames
        lines.append(f"prediction at {last} frames : at {first} frames = {self.ratio:.2f}")
        return "\n".join(lines)

    def write_json(self, path: Path) -> None:
        """For programs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**asdict(self), "ratio": self.ratio}, indent=2) + "\n")


def measure(
    checkpoint: Path | None,
    contexts: tuple[int, ...] = CONTEXTS,
    repeats: int = 20,
    num_steps: int | None = None,
) -> BenchmarkReport:
    """Time a checkpoint, or random weights of the default architecture, on noise frames."""
    if checkpoint is None:
        joints = EMBEDDED_CELL.num_joints
        config = VideoModelConfig(EMBEDDED_CELL, (0.0,) * joints, (1.0,) * joints)
        model = VideoModel(config).to(fast_dtype()).eval().requires_grad_(False)
    else:
        model = load_model(checkpoint, fast_dtype())
    steps = num_steps or model.config.num_steps
    return BenchmarkReport(
        hardware=_processor(),
        threads=torch.get_num_threads(),
        dtype=str(model.dtype).removeprefix("torch."),
        parameters=sum(p.numel() for p in model.parameters()),
        num_steps=steps,
        results=tuple(_measure_context(model, frames, repeats, steps) for frames in contexts),
    )


def _measure_context(
    model: VideoModel, frames: int, repeats: int, num_steps: int
) -> ContextResult:
    spec = model.config.spec
    rng = np.random.default_rng(0)
    shape = (8, spec.mosaic_height, spec.mosaic_width, 3)
    mosaics = rng.integers(0, 256, shape, dtype=np.uint8)
    state = np.asarray(model.config.state_mean, dtype=np.float32)
    committed = np.tile(state, (model.config.typical_committed, 1))
    predictor = VideoPredictor(model, num_steps=num_steps, context_frames=frames)

    def append() -> None:
        predictor.append(mosaics[predictor.num_frames % len(mosaics)], state)

    def predict() -> None:
        predictor.predict(committed)

    whole = _whole_sequence(model, frames)

    @torch.inference_mode()
    def predict_without_cache() -> None:
        for _ in range(num_steps):
            model(whole)

    for _ in range(frames):
        append()
    return ContextResult(
        frames=frames,
        append=_time(append, repeats),
        predict=_time(predict, repeats),
        without_cache=_time(predict_without_cache, max(3, repeats // 4), warm_up=1),
    )


def _whole_sequence(model: VideoModel, frames: int) -> ClipBatch:
    config = model.config
    patches = (config.num_patches, config.patch_dim)
    joints = config.spec.num_joints
    return ClipBatch(
        words=torch.zeros(1, config.max_words, dtype=torch.int64),
        frames=torch.zeros(1, frames, *patches, dtype=model.dtype),
        state=torch.zeros(1, frames, joints, dtype=model.dtype),
        clip_start=torch.tensor([frames - 1]),
        noisy=torch.zeros(1, 1, config.horizon, *patches, dtype=model.dtype),
        level=torch.zeros(1, 1),
        committed=torch.zeros(1, 1, config.horizon, joints, dtype=model.dtype),
        count=torch.full((1, 1), config.typical_committed),
    )


def _time(call: Callable[[], None], repeats: int, warm_up: int = _WARM_UP) -> Latency:
    for _ in range(warm_up):
        call()
    durations = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        durations.append(1e3 * (time.perf_counter() - start))
    return Latency(*(float(np.percentile(durations, q)) for q in (50, 99)))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()

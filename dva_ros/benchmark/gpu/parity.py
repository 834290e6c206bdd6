"""Fast paths on a device against the plain predictor on the CPU in float32.

``python -m dva_ros.benchmark.gpu.parity PATH --device cuda`` prints the differences as JSON. The
exit status is 1 where a fast path is further from the reference than its tolerance.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ...resources import model_path
from ...video.checkpoint import load_model
from ...video.model import ClipBatch, VideoModel
from ...video.precision import fast_dtype
from ...video.predictor import VideoPredictor
from ...video.ring_storage import FLOAT8
from ...video.static_predictor import StaticPredictor

CHECKPOINT = "cpu/video"
FRAMES = 48
"""More than the checkpoint's context of 40: the ring wraps."""


@dataclass(frozen=True)
class Parity:
    """How far a fast path is from the reference.

    Attributes:
        path: name of the fast path.
        mean: mean absolute difference; of pixels in levels of 0..255, of signals as they are.
        greatest: greatest absolute difference.
        tolerance: of the mean.
    """

    path: str
    mean: float
    greatest: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the mean is within the tolerance."""
        return self.mean <= self.tolerance


def _clips(predictor: VideoPredictor | StaticPredictor) -> np.ndarray:
    """Clips after each of the last frames of a fixed random walk, float64 [n, H, h, w, 3]."""
    spec = predictor.config.spec
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (spec.mosaic_height, spec.mosaic_width, 3), dtype=np.uint8)
    state = np.zeros(spec.num_joints, np.float32)
    predictor.reset("lift the box with both arms")
    found = []
    for number in range(FRAMES):
        state = state + rng.normal(0.0, 0.02, state.shape).astype(np.float32)
        predictor.append(np.roll(picture, number, axis=1), state)
        if number >= FRAMES - 4:
            committed = np.repeat(state[None], number % 3, axis=0)
            found.append(predictor.predict(committed).astype(np.float64))
    return np.stack(found)


def _against_reference(
    path: str, predictor: VideoPredictor | StaticPredictor, tolerance: float
) -> Parity:
    reference = VideoPredictor(load_model(model_path(CHECKPOINT), torch.float32))
    difference = np.abs(_clips(predictor) - _clips(reference))
    return Parity(path, float(difference.mean()), float(difference.max()), tolerance)


def _static(device: str, dtype: torch.dtype, cache: torch.dtype | None = None) -> StaticPredictor:
    model = load_model(model_path(CHECKPOINT), dtype).to(device)
    return StaticPredictor(model, cache_dtype=cache)


def plain_float32(device: str) -> Parity:
    """The plain predictor on the device: its arithmetic alone, without recorded work."""
    model = load_model(model_path(CHECKPOINT), torch.float32).to(device)
    return _against_reference("plain_float32", VideoPredictor(model), 0.1)


def static_float32(device: str) -> Parity:
    """The predictor with fixed buffers (CUDA graphs on a GPU), in float32."""
    return _against_reference("static_float32", _static(device, torch.float32), 0.1)


def static_fast(device: str) -> Parity:
    """The same in the device's fast number format."""
    return _against_reference("static_fast", _static(device, fast_dtype(device)), 2.0)


def float8_cache(device: str) -> Parity:
    """Keys and values kept in eight bits."""
    return _against_reference("float8_cache", _static(device, fast_dtype(device), FLOAT8), 4.0)


@torch.no_grad()
def block_sparse(device: str) -> Parity:
    """The training forward with FlexAttention against the dense mask, float32."""
    dense = load_model(model_path(CHECKPOINT), torch.float32).to(device)
    sparse = VideoModel(dense.config).to(device).eval()
    sparse.load_state_dict(dense.state_dict())
    sparse.block_sparse = True
    batch = _batch(dense, device)
    difference = (sparse(batch) - dense(batch)).abs()
    return Parity("block_sparse", float(difference.mean()), float(difference.max()), 0.01)


def _batch(model: VideoModel, device: str, num_real: int = 12) -> ClipBatch:
    config = model.config
    start = [0, 4, 8, num_real - 1]
    patches, joints = (config.num_patches, config.patch_dim), config.spec.num_joints
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(device)

    size, clips, horizon = 1, len(start), config.horizon
    words = torch.randint(0, config.word_buckets, (size, config.max_words), generator=generator)
    return ClipBatch(
        words=words.to(device),
        frames=normal(size, num_real, *patches),
        state=normal(size, num_real, joints),
        clip_start=torch.tensor(start, device=device),
        noisy=normal(size, clips, horizon, *patches),
        level=torch.rand(size, clips, generator=generator).to(device),
        committed=normal(size, clips, horizon, joints),
        count=torch.arange(clips, device=device)[None] % (config.max_committed + 1),
    )


PATHS: dict[str, Callable[[str], Parity]] = {
    one.__name__: one
    for one in (plain_float32, static_float32, static_fast, float8_cache, block_sparse)
}


def main() -> int:
    """Measure one path and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", choices=PATHS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    found = PATHS[args.path](args.device)
    args.json.write_text(json.dumps({**asdict(found), "passed": found.passed}, indent=2) + "\n")
    print(f"{found.path}: mean {found.mean:.4f} (at most {found.tolerance}), {found.greatest:.3f}")
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())

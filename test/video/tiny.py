"""A small video model with random weights, and random inputs for it."""

from __future__ import annotations

import numpy as np
import torch

from dva_ros.spec import CameraSpec, CellSpec
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.model import ClipBatch, VideoModel

SPEC = CellSpec(
    cameras=(CameraSpec("overhead", 32, 32), CameraSpec("front", 16, 32)),
    joint_names=("left_waist", "left_gripper", "right_waist"),
)


def tiny_config(**changes: object) -> VideoModelConfig:
    values: dict[str, object] = {
        "spec": SPEC,
        "state_mean": (0.1, 0.0, -0.2),
        "state_std": (0.5, 1.0, 2.0),
        "patch_margin": 4,
        "stem_width": 4,
        "width": 32,
        "depth": 3,
        "heads": 2,
        "horizon": 4,
        "max_committed": 2,
        "typical_committed": 1,
        "context_frames": 6,
        "local_frames": 4,
        "global_every": 2,
        "max_words": 6,
    }
    return VideoModelConfig(**{**values, **changes})  # type: ignore[arg-type]


def random_model(config: VideoModelConfig, seed: int = 0) -> VideoModel:
    """Weights all random, so that no branch is silent as it is at the start of training."""
    torch.manual_seed(seed)
    model = VideoModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


def random_batch(
    config: VideoModelConfig, size: int, num_real: int, clip_start: list[int], seed: int = 1
) -> ClipBatch:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    clips, horizon, joints = len(clip_start), config.horizon, config.spec.num_joints
    patches = (config.num_patches, config.patch_dim)
    return ClipBatch(
        words=torch.randint(0, config.word_buckets, (size, config.max_words), generator=generator),
        frames=normal(size, num_real, *patches),
        state=normal(size, num_real, joints),
        clip_start=torch.tensor(clip_start),
        noisy=normal(size, clips, horizon, *patches),
        level=torch.rand(size, clips, generator=generator),
        committed=normal(size, clips, horizon, joints),
        count=torch.randint(0, config.max_committed + 1, (size, clips), generator=generator),
    )


def random_frames(config: VideoModelConfig, count: int, seed: int = 2) -> np.ndarray:
    shape = (count, config.spec.mosaic_height, config.spec.mosaic_width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

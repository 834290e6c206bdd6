"""The predictor that fits a device."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from dva_ros.errors import UserError

from .checkpoint import load_config
from .config import VideoModelConfig
from .memory_plan import CacheSize, MemoryPlan, free_bytes
from .precision import fast_dtype
from .predictor import VideoPredictor
from .ring_storage import FLOAT8
from .static_predictor import StaticPredictor

DEVICES = ("cpu", "cuda")

_log = logging.getLogger(__name__)


class ClipPredictor(Protocol):
    """What nodes need of a predictor; see `VideoPredictor`."""

    config: VideoModelConfig
    num_steps: int

    @property
    def num_frames(self) -> int:
        """Frames appended since the last `reset`."""

    def reset(self, instruction: str) -> None:
        """Forget all frames and pin a new instruction."""

    def append(self, mosaic: np.ndarray, state: np.ndarray) -> int:
        """Encode one real frame; gives its index."""

    def start(self, committed: np.ndarray, num_steps: int | None = None) -> Future[np.ndarray]:
        """Begin to imagine the clip after the newest frame."""


def load_predictor(
    path: str | Path,
    device: str,
    *,
    num_steps: int | None = None,
    context_frames: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    float8_cache: bool = False,
) -> ClipPredictor:
    """Load a checkpoint folder; arguments as of `VideoPredictor.load`.

    Args:
        device: one of `DEVICES`.
        float8_cache: keep keys and values in eight bits; for a GPU.

    Raises:
        UserError: no such device, too little memory on it, or the checkpoint cannot be read.
    """
    if device == "cpu":
        if float8_cache:
            raise UserError("a float8 cache needs device cuda: a CPU has no use for it")
        return VideoPredictor.load(
            path, num_steps=num_steps, context_frames=context_frames, seed=seed, threads=threads
        )
    if not torch.cuda.is_available():
        raise UserError("device is cuda, and torch finds no GPU here: set it to cpu")
    config = load_config(Path(path))
    cache = CacheSize(context_frames or config.context_frames)
    plan = MemoryPlan.of(config, fast_dtype(device), [cache])
    for line in plan.lines():
        _log.info(line)
    plan.require(free_bytes(device), "the GPU", float8_cache)
    return StaticPredictor.load(
        path,
        num_steps=num_steps,
        context_frames=context_frames,
        seed=seed,
        cache_dtype=FLOAT8 if float8_cache else None,
        device=device,
    )

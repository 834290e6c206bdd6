"""What a video model will need of a device's memory, known before any of it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from dva_ros.errors import UserError

from .cached import append_frame, denoise_clip, pin_instruction
from .config import VideoModelConfig
from .live_bytes import LiveBytes
from .model import VideoModel
from .ring_storage import FLOAT8
from .static_cache import StaticCache

RESERVE_BYTES = 3 * 2**29
"""For what is not counted: the CUDA context, workspaces of libraries, inverse dynamics."""

_GB = 1e9


@dataclass(frozen=True)
class CacheSize:
    """Of one KV cache: frames of context, and sessions side by side."""

    context: int
    batch: int = 1


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes; found by building the model and running its steps on tensors without data.

    Attributes:
        parameters: number of them.
        weights: in the model's dtype.
        cache: keys and values of all caches together, in the model's dtype.
        float8_cache: the same in eight bits.
        activations: greatest sum of temporaries while a frame is appended or a clip denoised,
            over the largest cache.
        float8_activations: the same with a float8 cache, a layer of which is widened to be read.
    """

    parameters: int
    weights: int
    cache: int
    float8_cache: int
    activations: int
    float8_activations: int

    @staticmethod
    def of(
        config: VideoModelConfig, dtype: torch.dtype, caches: Sequence[CacheSize]
    ) -> MemoryPlan:
        """The plan for a model with these caches."""
        with torch.device("meta"):
            model = VideoModel(config)
        model = model.to(dtype).eval().requires_grad_(False)
        plain, small = (
            [StaticCache(config, c.context, dtype, "meta", c.batch, kept=kept) for c in caches]
            for kept in (None, FLOAT8)
        )
        return MemoryPlan(
            parameters=sum(p.numel() for p in model.parameters()),
            weights=sum(p.nbytes for p in (*model.parameters(), *model.buffers())),
            cache=sum(map(_bytes, plain)),
            float8_cache=sum(map(_bytes, small)),
            activations=_activations(model, max(plain, key=_bytes)),
            float8_activations=_activations(model, max(small, key=_bytes)),
        )

    def needed(self, float8_cache: bool = False) -> int:
        """All of it, with the reserve."""
        return sum(self._parts(float8_cache).values())

    def lines(self) -> list[str]:
        """For people."""
        head = f"memory plan of {self.parameters / 1e6:.1f}M parameters, GB:"
        return [f"{head} {self._figures(False)}", f"{head} {self._figures(True)}"]

    def require(self, free: int, device: str, float8_cache: bool = False) -> None:
        """Raise `UserError`, with the figures, where `free` bytes are too few."""
        if self.needed(float8_cache) <= free:
            return
        hint = "less context or a smaller batch needs less"
        if not float8_cache and self.needed(float8_cache=True) <= free:
            hint = f"a float8 cache would do with {self.needed(True) / _GB:.2f}"
        raise UserError(
            f"{device} has {free / _GB:.2f} GB free; needed are {self._figures(float8_cache)}; "
            f"{hint}"
        )

    def _parts(self, float8_cache: bool) -> dict[str, int]:
        return {
            "weights": self.weights,
            "float8 KV cache" if float8_cache else "KV cache": (
                self.float8_cache if float8_cache else self.cache
            ),
            "activations": self.float8_activations if float8_cache else self.activations,
            "reserve": RESERVE_BYTES,
        }

    def _figures(self, float8_cache: bool) -> str:
        parts = [f"{n} {size / _GB:.2f}" for n, size in self._parts(float8_cache).items()]
        return f"{' + '.join(parts)} = {self.needed(float8_cache) / _GB:.2f}"


def free_bytes(device: torch.device | str) -> int:
    """Memory that a device can still give."""
    where = torch.device(device)
    if where.type == "cuda":
        return int(torch.cuda.mem_get_info(where)[0])
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    raise UserError("/proc/meminfo does not say how much memory is free")


def _bytes(cache: StaticCache) -> int:
    return sum(buffer.nbytes for buffer in cache.buffers())


@torch.inference_mode()
def _activations(model: VideoModel, cache: StaticCache) -> int:
    config, batch = model.config, cache.batch
    patches, joints = (config.num_patches, config.patch_dim), config.spec.num_joints
    with torch.device("meta"):
        frame = torch.zeros(batch, *patches, dtype=model.dtype)
        state = torch.zeros(batch, joints, dtype=model.dtype)
        noisy = torch.zeros(batch, config.horizon, *patches, dtype=model.dtype)
        committed = torch.zeros(batch, config.horizon, joints, dtype=model.dtype)
        words = torch.zeros(batch, config.max_words, dtype=torch.int64)
        level, count = torch.zeros(batch), torch.zeros(batch, dtype=torch.int64)
    with LiveBytes() as live:
        pin_instruction(model, cache, words)
        anchor = append_frame(model, cache, frame, state)
        denoise_clip(model, cache, noisy, level, committed, count, anchor, frame)
    return live.peak

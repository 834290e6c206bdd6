"""Denoising steps to compare with, at the shape of a video model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..video.config import VideoModelConfig
from ..video.model import ClipBatch, VideoModel
from .dense import ConcatenatingCache, DenseCache, DenseTransformer, GatherCache

NO_CACHE = "no_cache"
CONCATENATING = "dense_concatenating"
GATHER = "dense_gather"

DENSE_DTYPE = torch.float32
"""What the peers run on a CPU."""


class WithoutCache:
    """The same model, which computes its whole context again, all frames in parallel."""

    def __init__(self, model: VideoModel, context: int) -> None:
        config = model.config
        patches, joints = (config.num_patches, config.patch_dim), config.spec.num_joints
        self._model = model
        self._sequence = ClipBatch(
            words=torch.zeros(1, config.max_words, dtype=torch.int64),
            frames=torch.zeros(1, context, *patches, dtype=model.dtype),
            state=torch.zeros(1, context, joints, dtype=model.dtype),
            clip_start=torch.tensor([context - 1]),
            noisy=torch.zeros(1, 1, config.horizon, *patches, dtype=model.dtype),
            level=torch.zeros(1, 1),
            committed=torch.zeros(1, 1, config.horizon, joints, dtype=model.dtype),
            count=torch.full((1, 1), config.typical_committed),
        )

    @torch.inference_mode()
    def denoise(self) -> torch.Tensor:
        """One denoising step."""
        return self._model(self._sequence)


class DenseReference:
    """A dense transformer of equal width, depth, heads and MLP ratio, its context full.

    Args:
        name: `CONCATENATING` or `GATHER`.
        config: whose shape it has.
        context: frames that its cache holds.
    """

    @torch.inference_mode()
    def __init__(
        self, name: str, config: VideoModelConfig, context: int, dtype: torch.dtype
    ) -> None:
        tokens, clip_tokens = config.num_slots, config.horizon * config.num_slots
        model = DenseTransformer(config.width, config.depth, config.heads, config.mlp_ratio)
        self._model = model.to(dtype).eval()
        shape = (1, config.heads, context * tokens, config.head_dim)
        self._cache: DenseCache
        if name == GATHER:
            self._cache = GatherCache(config.depth, shape, clip_tokens, dtype)
        else:
            self._cache = ConcatenatingCache(config.depth, context * tokens)
        for layer in range(config.depth):
            # Filled at once: what they hold makes no difference to the time.
            self._cache.append(layer, *(torch.randn(shape).to(dtype) for _ in range(2)))
        self._frame = torch.randn(1, tokens, config.width).to(dtype)
        self._clip = torch.randn(1, clip_tokens, config.width).to(dtype)

    @torch.inference_mode()
    def append(self) -> torch.Tensor:
        """Encode one more frame."""
        return self._model.append(self._cache, self._frame)

    @torch.inference_mode()
    def denoise(self) -> torch.Tensor:
        """One denoising step."""
        return self._model.denoise(self._cache, self._clip)


@dataclass(frozen=True)
class Reference:
    """A call to compare with.

    Attributes:
        name: `NO_CACHE`, `CONCATENATING` or `GATHER`.
        what: `append` or `denoise_step`.
        dtype: that it computes in.
    """

    name: str
    what: str
    dtype: torch.dtype
    call: Callable[[], object]


def references(model: VideoModel, context: int) -> list[Reference]:
    """All references to a model at one context."""
    whole = WithoutCache(model, context).denoise
    calls = [Reference(NO_CACHE, "denoise_step", model.dtype, whole)]
    for name in (CONCATENATING, GATHER):
        dense = DenseReference(name, model.config, context, DENSE_DTYPE)
        calls.append(Reference(name, "append", DENSE_DTYPE, dense.append))
        calls.append(Reference(name, "denoise_step", DENSE_DTYPE, dense.denoise))
    return calls

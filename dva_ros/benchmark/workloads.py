"""The calls that are timed: what a node does for every frame and for every request."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..inverse_dynamics.model import InverseDynamicsNet
from ..video.cached import append_frame, pin_instruction
from ..video.clip_denoiser import ClipDenoiser
from ..video.kv_cache import KVCache
from ..video.model import VideoModel
from ..video.noise import clip_noise
from ..video.patches import patchify, to_pixels, to_signal, unpatchify
from ..video.sampler import sample_clip

_LEVEL = 0.25


class VideoSessions:
    """Sessions side by side whose contexts are full.

    The ring begins with random keys and values: what they hold makes no difference to the time.

    Args:
        context: frames of every session's context.
        batch: number of sessions.
        num_steps: denoising steps of a prediction.
    """

    @torch.inference_mode()
    def __init__(self, model: VideoModel, context: int, batch: int, num_steps: int) -> None:
        config, spec = model.config, model.config.spec
        self.model, self.num_steps = model, num_steps
        self.cache = KVCache(config, context, model.dtype, batch=batch)
        words = torch.zeros(batch, config.max_words, dtype=torch.int64)
        pin_instruction(model, self.cache, words)
        for tensor in self.cache.storage()[2:]:
            tensor.normal_()
        for _ in range(context):
            self.cache.advance()
        rng = np.random.default_rng(0)
        shape = (batch, spec.mosaic_height, spec.mosaic_width, 3)
        self._mosaics = rng.integers(0, 256, shape, dtype=np.uint8)
        self._state = torch.zeros(batch, spec.num_joints, dtype=model.dtype)
        commands = (batch, config.horizon, spec.num_joints)
        self._committed = torch.zeros(commands, dtype=model.dtype)
        self._count = torch.full((batch,), config.typical_committed)
        self._denoiser = ClipDenoiser(model, self.cache)
        self.append()
        self._begin()
        self._noisy = self._noise().to(model.dtype)

    @torch.inference_mode()
    def append(self) -> None:
        """Encode one more frame of every session, from its pixels on."""
        pixels = torch.from_numpy(patchify(self._mosaics, self.model.config.patch))
        self._last = to_signal(pixels, self.model.dtype)
        self._anchor = append_frame(self.model, self.cache, self._last, self._state)

    @torch.inference_mode()
    def denoise(self) -> Tensor:
        """One denoising step after the frame that was the newest when the last prediction began:
        clean signal [batch, H, patches, patch_dim]."""
        return self._denoise(self._noisy, _LEVEL)

    @torch.inference_mode()
    def predict(self) -> np.ndarray:
        """A whole prediction: uint8 [batch, H, mosaic_height, mosaic_width, 3]."""
        config, spec = self.model.config, self.model.config.spec
        self._begin()
        clean = sample_clip(self._denoise, self._noise(), self.num_steps)
        pixels = to_pixels(clean).numpy()
        return unpatchify(pixels, spec.mosaic_height, spec.mosaic_width, config.patch)

    def _begin(self) -> None:
        self._denoiser.begin(self._committed, self._count, self._anchor, self._last)

    def _denoise(self, noisy: Tensor, level: float) -> Tensor:
        return self._denoiser.step(noisy.to(self.model.dtype), level)

    def _noise(self) -> Tensor:
        config, frames = self.model.config, self.cache.count
        return torch.stack([clip_noise(config, row, frames) for row in range(self.cache.batch)])


class Decoding:
    """Inverse dynamics of `batch` clips."""

    def __init__(self, net: InverseDynamicsNet, batch: int) -> None:
        config, spec = net.config, net.config.spec
        self._net = net
        rng = np.random.default_rng(0)
        shape = (batch, config.num_frames, spec.mosaic_height, spec.mosaic_width, 3)
        self._frames = rng.integers(0, 256, shape, dtype=np.uint8)
        self._state = np.zeros((batch, spec.num_joints), np.float32)

    @torch.inference_mode()
    def decode(self) -> np.ndarray:
        """Normalised offsets, float32 [batch, H, J]."""
        offsets: np.ndarray = self._net(
            torch.from_numpy(self._frames), torch.from_numpy(self._state)
        ).numpy()
        return offsets

"""The video model as the robot uses it: frames in, imagined clips out."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .cached import append_frame, denoise_clip, pin_instruction
from .checkpoint import load_model
from .clip_denoiser import ClipDenoiser
from .execution import finished
from .guidance import Guidance
from .instruction import hash_words
from .kv_cache import KVCache
from .model import VideoModel
from .noise import clip_noise
from .patches import patchify, to_pixels, to_signal, unpatchify
from .precision import fast_dtype
from .predictor_input import PredictorInput
from .sampler import sample_clip


class VideoPredictor:
    """One session at a time: `reset`, then `append` every frame and `predict` after any.

    On a CPU it keeps weights as they are when it is made (`folded.py`).

    Attributes:
        config: the architecture and what it was trained for.
    """

    def __init__(
        self,
        model: VideoModel,
        *,
        num_steps: int | None = None,
        context_frames: int | None = None,
        seed: int = 0,
    ) -> None:
        self.config = model.config
        self._model = model
        self.num_steps = num_steps or self.config.num_steps
        self._seed = seed
        self._device = model.embedding.slot.device
        capacity = context_frames or self.config.context_frames
        self._cache = KVCache(self.config, capacity, model.dtype, self._device)
        on_cpu = self._device.type == "cpu"
        self._denoiser = ClipDenoiser(model, self._cache) if on_cpu else None
        self._input = PredictorInput(self.config)
        self._anchor: Tensor | None = None
        self._last: Tensor | None = None
        self.reset("")

    @staticmethod
    def load(
        path: str | Path,
        *,
        num_steps: int | None = None,
        context_frames: int | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> VideoPredictor:
        """Load a checkpoint folder.

        Args:
            num_steps: denoising steps; the checkpoint's default if None.
            context_frames: frames that the cache holds; the trained window if None.
            seed: of the noise; equal seeds and inputs give equal clips.
            threads: threads of this process's tensor operations; unchanged if None.

        Raises:
            CheckpointError, SpecMismatchError: see `checkpoint.load_model`.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        model = load_model(Path(path), fast_dtype())
        return VideoPredictor(model, num_steps=num_steps, context_frames=context_frames, seed=seed)

    @property
    def num_frames(self) -> int:
        """Frames appended since the last `reset`."""
        return self._cache.count

    @torch.inference_mode()
    def reset(self, instruction: str) -> None:
        """Forget all frames and pin a new instruction.

        Raises:
            UserError: the instruction has too many words.
        """
        words = hash_words(instruction, self.config.word_buckets, self.config.max_words)
        self._cache.reset()
        self._anchor = self._last = None
        pin_instruction(self._model, self._cache, torch.from_numpy(words[None]).to(self._device))

    @torch.inference_mode()
    def append(self, mosaic: np.ndarray, state: np.ndarray) -> int:
        """Encode one real frame into the cache.

        Args:
            mosaic: uint8 RGB [mosaic_height, mosaic_width, 3].
            state: measured joint positions [J], rad and m.

        Returns:
            The frame's index, 0 for the first after `reset`.

        Raises:
            ValueError: wrong shape or dtype, or a joint position that is not finite.
        """
        patches, joints = self._input.patches(mosaic), self._input.state(state)
        pixels = torch.from_numpy(patches[None]).to(self._device)
        self._last = to_signal(pixels, self._model.dtype)
        self._anchor = append_frame(
            self._model, self._cache, self._last, self._on_device(joints)[None]
        )
        return self._cache.count - 1

    def start(self, committed: np.ndarray, num_steps: int | None = None) -> Future[np.ndarray]:
        """Begin to imagine the clip after the newest frame; here it is ready on return.

        Frames that are appended before it is ready do not change it.

        Returns:
            Of what `predict` returns; arguments and errors are its, too.
        """
        return finished(self.predict(committed, num_steps))

    def predict(
        self,
        committed: np.ndarray,
        num_steps: int | None = None,
        guide: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> np.ndarray:
        """Imagine the clip after the newest frame.

        Args:
            committed: joint commands already executing for the first frames, [d, J] with
                0 <= d <= max_committed.
            num_steps: denoising steps instead of the default.
            guide: a clip to be held to, uint8 RGB like the result, and how strongly each of its
                frames is, float32 [H] of 0..1 (see `guidance.py`); two to three times the cost.

        Returns:
            uint8 RGB [H, mosaic_height, mosaic_width, 3].

        Raises:
            ValueError: wrong shape, too many committed frames, or a value that is not finite.
            RuntimeError: no frame was appended yet.
        """
        # Guidance differentiates through the model, which inference mode rules out.
        with torch.inference_mode(guide is None), torch.no_grad():
            guidance = None if guide is None else self._guidance(*guide)
            pixels = self._imagine(committed, num_steps or self.num_steps, guidance)
        spec = self.config.spec
        return unpatchify(pixels, spec.mosaic_height, spec.mosaic_width, self.config.patch)

    def _imagine(
        self, committed: np.ndarray, num_steps: int, guidance: Guidance | None
    ) -> np.ndarray:
        """uint8 [H, patches, patch_dim]; arguments and errors as of `predict`."""
        config, model = self.config, self._model
        if self._anchor is None or self._last is None:
            raise RuntimeError("predict needs at least one appended frame")
        given = self._input.committed(committed)
        count, joints = given.shape
        commands = torch.zeros(1, config.horizon, joints, dtype=model.dtype, device=self._device)
        commands[0, :count] = self._on_device(given)
        counts = torch.full((1,), count, device=self._device)
        # Tensors that were made in inference mode cannot be differentiated through; copies can.
        anchor, last = self._anchor.clone(), self._last.clone()

        # Guidance differentiates through the step.
        fast = self._denoiser if guidance is None else None
        if fast is not None:
            fast.begin(commands, counts, anchor, last)

        def denoise(noisy: Tensor, level: float) -> Tensor:
            signal = noisy[None].to(model.dtype)
            if fast is not None:
                return fast.step(signal, level)[0]
            levels = torch.full((1,), level, device=self._device)
            return denoise_clip(
                model, self._cache, signal, levels, commands, counts, anchor, last
            )[0]

        noise = clip_noise(config, self._seed, self._cache.count).to(self._device)
        clean = sample_clip(denoise, noise, num_steps, guidance)
        return to_pixels(clean).cpu().numpy()

    def _guidance(self, clip: np.ndarray, weights: np.ndarray) -> Guidance:
        spec, horizon = self.config.spec, self.config.horizon
        shape = (horizon, spec.mosaic_height, spec.mosaic_width, 3)
        if clip.shape != shape or clip.dtype != np.uint8 or np.shape(weights) != (horizon,):
            raise ValueError(
                f"a guide is uint8 {shape} and weights {(horizon,)}, got {clip.dtype} "
                f"{clip.shape} and {np.shape(weights)}"
            )
        pixels = torch.from_numpy(patchify(clip, self.config.patch)).to(self._device)
        strength = torch.as_tensor(weights, dtype=torch.float32, device=self._device)
        return Guidance(to_signal(pixels, torch.float32), strength)

    def _on_device(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self._device, self._model.dtype)

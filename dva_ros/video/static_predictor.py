"""The predictor of a GPU: recorded kernels over fixed buffers, no host in between.

It computes what `VideoPredictor` computes. Appending a frame and sampling a clip are two recorded
pieces of work in two lanes: the image is copied and encoded in one while the other samples.
"""

from __future__ import annotations

from concurrent.futures import Future, wait
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .cached import append_frame, denoise_clip, pin_instruction
from .checkpoint import load_model
from .execution import Done, Execution, Mark, Work, execution_on, finished
from .instruction import hash_words
from .model import VideoModel
from .noise import clip_noise
from .patches import to_pixels, to_signal, unpatchify
from .precision import fast_dtype
from .predictor_input import PredictorInput
from .sampler import sample_clip
from .staged import Staged
from .static_cache import ContextView, StaticCache


class StaticPredictor:
    """One session at a time: `reset`, then `append` every frame and `predict` after any.

    Attributes:
        config: the architecture and what it was trained for.
    """

    @torch.inference_mode()
    def __init__(
        self,
        model: VideoModel,
        *,
        num_steps: int | None = None,
        context_frames: int | None = None,
        seed: int = 0,
        cache_dtype: torch.dtype | None = None,
        execution: Execution | None = None,
    ) -> None:
        """Arguments as of `load`; `execution` is that of the model's device."""
        self.config = config = model.config
        self._model, self._seed = model, seed
        self.num_steps = num_steps or config.num_steps
        self._execution = execution or execution_on(model.embedding.slot.device)
        self._frames_lane, self._clip_lane = self._execution.lane(), self._execution.lane()
        device, dtype = self._execution.device, model.dtype
        capacity = context_frames or config.context_frames
        self._cache = StaticCache(config, capacity, dtype, device, kept=cache_dtype)
        self._context = ContextView(self._cache)
        self._input = PredictorInput(config)
        patches, joints = (config.num_patches, config.patch_dim), config.spec.num_joints
        horizon = config.horizon

        self._words = self._staged((1, config.max_words), torch.int64)
        self._pixels = self._staged((1, *patches), torch.uint8)
        self._state = self._staged((1, joints), dtype)
        self._commands = self._staged((1, horizon, joints), dtype)
        self._counts = self._staged((1,), torch.int64)
        self._noise = self._staged((horizon, *patches), torch.float32)
        self._clip = self._staged((horizon, *patches), torch.uint8)
        self._last = torch.zeros(1, *patches, dtype=dtype, device=device)
        self._anchor = torch.zeros(1, config.num_slots, config.width, dtype=dtype, device=device)
        self._clip_last, self._clip_anchor = (torch.zeros_like(t) for t in self.newest())

        self._pin = self._execution.recorded(self.pin_work)
        self._append = self._execution.recorded(self.append_work)
        self._begin = self._execution.recorded(self.begin_work)
        self._samplers: dict[int, Work] = {}
        self._sampler(self.num_steps)
        self._sent: Mark = Done()
        self._appended: Mark = Done()
        self._begun: Mark = Done()
        self._sampled: Mark = Done()
        self._under_way: Future[np.ndarray] = finished(np.empty(0, np.uint8))
        self._num_frames = self._appended_since_begun = 0
        self.reset("")

    @staticmethod
    def load(
        path: str | Path,
        *,
        num_steps: int | None = None,
        context_frames: int | None = None,
        seed: int = 0,
        cache_dtype: torch.dtype | None = None,
        device: torch.device | str = "cuda",
    ) -> StaticPredictor:
        """Load a checkpoint folder onto a device.

        Args:
            num_steps: denoising steps; the checkpoint's default if None.
            context_frames: frames that the cache holds; the trained window if None.
            seed: of the noise; equal seeds and inputs give equal clips.
            cache_dtype: of cached keys and values: the model's if None, or float8_e4m3fn.

        Raises:
            CheckpointError, SpecMismatchError: see `checkpoint.load_model`.
        """
        model = load_model(Path(path), fast_dtype(device)).to(device)
        return StaticPredictor(
            model,
            num_steps=num_steps,
            context_frames=context_frames,
            seed=seed,
            cache_dtype=cache_dtype,
        )

    @property
    def num_frames(self) -> int:
        """Frames appended since the last `reset`."""
        return self._num_frames

    @torch.inference_mode()
    def reset(self, instruction: str) -> None:
        """Forget all frames and pin a new instruction; see `VideoPredictor.reset`."""
        config = self.config
        words = hash_words(instruction, config.word_buckets, config.max_words)
        self._sent.wait()
        self._words.host.copy_(torch.from_numpy(words[None]))
        self._sent = self._frames_lane.submit(self._words.send, after=[self._sampled])
        self._appended = self._frames_lane.submit(self._pin)
        self._num_frames = 0

    @torch.inference_mode()
    def append(self, mosaic: np.ndarray, state: np.ndarray) -> int:
        """Encode one real frame into the cache; see `VideoPredictor.append`.

        Returns before it is encoded, while a prediction may be under way.
        """
        patches, joints = self._input.patches(mosaic), self._input.state(state)
        self._sent.wait()
        self._pixels.host.copy_(torch.from_numpy(patches[None]))
        self._state.host.copy_(torch.from_numpy(joints[None]))
        self._sent = self._frames_lane.submit(self._send_frame)
        # What a prediction reads is overwritten only once all spare slots are taken.
        is_full = self._appended_since_begun >= self._cache.spare
        blocking = self._sampled if is_full else self._begun
        self._appended = self._frames_lane.submit(self._append, after=[blocking])
        self._num_frames += 1
        self._appended_since_begun += 1
        return self._num_frames - 1

    @torch.inference_mode()
    def start(self, committed: np.ndarray, num_steps: int | None = None) -> Future[np.ndarray]:
        """Begin to imagine the clip after the newest frame; see `VideoPredictor.start`.

        Returns while the device samples. A clip that is still under way is waited for first: its
        buffers are these, and nothing else may run while other steps are recorded.
        """
        if not self._num_frames:
            raise RuntimeError("predict needs at least one appended frame")
        commands = self._input.committed(committed)
        wait([self._under_way])
        sample = self._sampler(num_steps or self.num_steps)
        self._commands.host.zero_()
        self._commands.host[0, : len(commands)] = torch.from_numpy(commands)
        self._counts.host.fill_(len(commands))
        self._noise.host.copy_(clip_noise(self.config, self._seed, self._num_frames))
        self._begun = self._clip_lane.submit(self._send_and_begin, after=[self._appended])
        self._appended_since_begun = 0
        self._sampled = self._clip_lane.submit(sample)
        fetched = self._clip_lane.submit(self._clip.fetch)
        self._under_way = self._execution.once(fetched, self._read)
        return self._under_way

    def predict(self, committed: np.ndarray, num_steps: int | None = None) -> np.ndarray:
        """Imagine the clip after the newest frame; see `VideoPredictor.predict`."""
        return self.start(committed, num_steps).result()

    def pin_work(self) -> None:
        """Recorded: forget all frames and encode the staged instruction."""
        self._cache.reset()
        pin_instruction(self._model, self._cache, self._words.device)

    def append_work(self) -> None:
        """Recorded: encode the staged frame."""
        self._last.copy_(to_signal(self._pixels.device, self._model.dtype))
        self._anchor.copy_(append_frame(self._model, self._cache, self._last, self._state.device))

    def begin_work(self) -> None:
        """Recorded: take the context as it is, with its newest frame."""
        self._context.refresh()
        for taken, newest in zip((self._clip_last, self._clip_anchor), self.newest(), strict=True):
            taken.copy_(newest)

    def sample_work(self, num_steps: int) -> None:
        """Recorded: all denoising steps, from the staged noise to pixels."""

        def denoise(noisy: Tensor, level: float) -> Tensor:
            return denoise_clip(
                self._model,
                self._context,
                noisy[None].to(self._model.dtype),
                torch.full((1,), level, device=noisy.device),
                self._commands.device,
                self._counts.device,
                self._clip_anchor,
                self._clip_last,
            )[0]

        self._clip.device.copy_(to_pixels(sample_clip(denoise, self._noise.device, num_steps)))

    def newest(self) -> tuple[Tensor, Tensor]:
        """Signal [1, patches, patch_dim] and embedding [1, slots, width] of the newest frame."""
        return self._last, self._anchor

    def _staged(self, shape: tuple[int, ...], dtype: torch.dtype) -> Staged:
        return Staged(self._execution, shape, dtype)

    def _sampler(self, num_steps: int) -> Work:
        if num_steps not in self._samplers:
            self._samplers[num_steps] = self._execution.recorded(
                lambda: self.sample_work(num_steps)
            )
        return self._samplers[num_steps]

    def _send_frame(self) -> None:
        self._pixels.send()
        self._state.send()

    def _send_and_begin(self) -> None:
        for staged in (self._commands, self._counts, self._noise):
            staged.send()
        self._begin()

    def _read(self) -> np.ndarray:
        spec = self.config.spec
        pixels = self._clip.host.numpy()
        return unpatchify(pixels, spec.mosaic_height, spec.mosaic_width, self.config.patch)

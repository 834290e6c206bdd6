"""One rank of video training: steps, validation, saving."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from dva_ros.compute.training_products import TrainingShape, forward_operations, step_operations
from dva_ros.video.checkpoint import load_model, save_checkpoint, warm_start
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.model import VideoModel
from dva_ros.video.precision import fast_dtype
from dva_ros.video.predictor import VideoPredictor

from ..data.store import EpisodeStore
from .amortization import (
    SequenceSampler,
    TrainingBatch,
    noised,
    on_device,
    weighted_loss,
)
from .data_parallel import Group
from .distillation import distilled
from .feed import Feed
from .motion_loss import MotionReadout
from .optimizer import READOUT, FlatParameters, Optimizer
from .video_card import write_card
from .video_report import (
    CONTACT_SHEET_FILE,
    append_validation,
    draw_contact_sheet,
    plot_losses,
)
from .video_settings import VideoSettings
from .video_state import TrainingState, load_state, save_state
from .video_validation import Validation, ValidationResult

_VALIDATION_WINDOWS = 24


@dataclass(frozen=True)
class StepResult:
    """Loss and gradient norm of a step, averaged over the ranks."""

    loss: float
    grad_norm: float


class VideoTrainer:
    """The trained weights and everything that changes them.

    Attributes:
        step: steps done.
        elapsed_s: wall time spent, over all resumed parts.
    """

    def __init__(
        self,
        config: VideoModelConfig,
        settings: VideoSettings,
        train: EpisodeStore,
        validation: EpisodeStore,
        group: Group | None = None,
        dtype: torch.dtype | None = None,
        build: Callable[[VideoModelConfig], VideoModel] = VideoModel,
    ) -> None:
        """`build` makes a model with fresh weights, where no checkpoint is to start from."""
        self.config, self.settings, self._group = config, settings, group or Group()
        self.step, self.elapsed_s = 0, 0.0
        device = torch.device(settings.device)
        torch.manual_seed(settings.seed)
        start = settings.initial
        model = build(config) if start is None else warm_start(start, config)
        self.model = model.to(device)
        self._teacher: VideoModel | None = None
        if settings.distill_steps and settings.initial is not None:
            self._teacher = load_model(settings.initial, dtype or fast_dtype(device)).to(device)
        self._motion = MotionReadout(config).to(device)
        self._parameters = FlatParameters(self.model, self._motion, dtype or fast_dtype(device))
        self._optimizer = Optimizer(self._parameters, settings.optimizer, group)
        shape = (settings.num_real, settings.stride)
        self._sampler = SequenceSampler(train, config, *shape, settings.emphasis)
        self._feed = Feed(self._draw, ahead=device.type == "cuda")
        self.model.block_sparse = settings.block_sparse
        self._held_out = validation
        self._validation = Validation(
            SequenceSampler(validation, config, *shape), _VALIDATION_WINDOWS
        )
        if settings.resume:
            self._load(load_state(settings.output))

    @property
    def frames_per_step(self) -> int:
        """Real and clip frames that all ranks process in one step."""
        clips = self.settings.num_real // self.settings.stride
        frames = self.settings.num_real + clips * self.config.horizon
        return self._group.size * self.settings.batch * frames

    @property
    def waited_s(self) -> float:
        """Time that steps so far waited for the data path of this rank."""
        return self._feed.waited_s

    @property
    def dtype(self) -> torch.dtype:
        """Of weights and activations."""
        return self._parameters.weights.dtype

    @property
    def operations_per_step(self) -> float:
        """What the model needs of multiplications and additions in one step of this rank, the
        teacher's with it; mean over the places at which clips can start."""
        settings = self.settings

        def count(shape: TrainingShape) -> float:
            teacher = settings.distill_steps * forward_operations(self.config, shape)
            return step_operations(self.config, shape) + teacher

        return mean_over_starts(settings, count)

    def train_step(self, progress: float) -> StepResult:
        """One step; equal on all ranks. Draws depend on seed, rank and step only."""
        settings = self.settings
        batch = on_device(self._feed.take(self.step), self._parameters.weights.device)
        if self._teacher is not None:
            batch = distilled(batch, self._teacher, settings.distill_steps)
        self._parameters.grads.zero_()
        clips = batch.clips
        tokens = self.model.clip_tokens(clips)
        loss = weighted_loss(self.model.read(tokens, clips), batch)
        before = clips.state[:, clips.clip_start]
        motion = self._motion.loss(tokens, clips.committed, before, batch.weight)
        (loss + settings.motion_weight * motion).backward()
        grad, mean_loss = self._average(loss.detach())
        norm = self._optimizer.step(grad, settings.lr_factor(self.step, progress))
        self.step += 1
        return StepResult(mean_loss, norm)

    def _draw(self, step: int) -> TrainingBatch:
        """Noised clips of a step, on the host; for a teacher pure noise."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, self._group.rank, step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        sequence = self._sampler.sample(rng, settings.batch)
        noise_only = torch.zeros(sequence.usable.shape[:2]) if self._teacher is not None else None
        return noised(sequence, self.config, generator, self.dtype, noise_only)

    def measure(self) -> ValidationResult:
        """Measure the averaged weights."""
        self._optimizer.use_ema()
        self.model.eval()
        try:
            return self._validation.measure(self.model)
        finally:
            self.model.train()
            self._optimizer.use_master()

    def validate(self) -> ValidationResult:
        """Measure the averaged weights; export them with a plot and a contact sheet."""
        settings = self.settings
        self._optimizer.use_ema()
        self.model.eval()
        try:
            result = self._validation.measure(self.model)
            append_validation(settings.output, self.step, self.elapsed_s, result)
            plot_losses(settings.output)
            self.export()
            parameters = len(self._optimizer.master)
            write_card(settings.output, self.config, parameters, self.step, self.elapsed_s)
            predictor = VideoPredictor(self.model)
            draw_contact_sheet(predictor, self._held_out, settings.output / CONTACT_SHEET_FILE)
        finally:
            self.model.train()
            self._optimizer.use_master()
        return result

    def export(self) -> None:
        """Write the averaged weights as a checkpoint into the run's folder."""
        named = self._parameters.named_slices(self._optimizer.ema).items()
        weights = {name: value for name, value in named if not name.startswith(READOUT)}
        save_checkpoint(self.settings.output, self.config, weights)

    def save(self) -> None:
        """Write the state that `resume` reads."""
        state = TrainingState(self.config, self._optimizer.state(), self.step, self.elapsed_s)
        save_state(self.settings.output, state)

    def _load(self, state: TrainingState) -> None:
        self._optimizer.load_state(state.optimizer)
        self.step, self.elapsed_s = state.step, state.elapsed_s

    def _average(self, loss: Tensor) -> tuple[Tensor, float]:
        grads = self._parameters.grads.float()
        if self._group.size == 1:
            return grads, float(loss)
        flat = torch.cat((grads, loss.reshape(1)))
        dist.all_reduce(flat)
        flat /= self._group.size
        return flat[:-1], float(flat[-1])


def mean_over_starts(settings: VideoSettings, count: Callable[[TrainingShape], float]) -> float:
    """Mean of a count of one forward over the places at which the first clip can start."""
    total = 0.0
    for first in range(settings.stride):
        starts = range(first, settings.num_real, settings.stride)
        total += count(TrainingShape(settings.batch, settings.num_real, starts))
    return total / settings.stride


class Clock:
    """Wall time of a run, and when something periodic is due."""

    def __init__(self, elapsed_s: float) -> None:
        self._start = time.monotonic() - elapsed_s
        self._due: dict[str, float] = {}

    def now(self) -> float:
        """Seconds spent on the run."""
        return time.monotonic() - self._start

    def is_due(self, name: str, period_s: float) -> bool:
        """True once every `period_s`, first after one period."""
        now = self.now()
        if now < self._due.setdefault(name, now + period_s):
            return False
        self._due[name] = now + period_s
        return True

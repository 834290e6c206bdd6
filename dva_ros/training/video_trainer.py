"""One rank of video training: steps, validation, saving."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from dva_ros.video.checkpoint import load_model, save_checkpoint, warm_start
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.model import VideoModel
from dva_ros.video.precision import fast_dtype
from dva_ros.video.predictor import VideoPredictor

from .amortization import (
    Sequence,
    SequenceSampler,
    TrainingBatch,
    noised,
    on_device,
    weighted_loss,
)
from .data_parallel import Group
from .distillation import distilled
from .motion_loss import MotionReadout
from .optimizer import READOUT, FlatParameters, Optimizer
from .store import EpisodeStore
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
    ) -> None:
        self.config, self.settings, self._group = config, settings, group or Group()
        self.step, self.elapsed_s = 0, 0.0
        device = torch.device(settings.device)
        torch.manual_seed(settings.seed)
        if settings.initial is None:
            model = VideoModel(config)
        else:
            model = warm_start(settings.initial, config)
        self.model = model.to(device)
        self._teacher: VideoModel | None = None
        if settings.distill_steps and settings.initial is not None:
            self._teacher = load_model(settings.initial, dtype or fast_dtype(device)).to(device)
        self._motion = MotionReadout(config).to(device)
        self._parameters = FlatParameters(self.model, self._motion, dtype or fast_dtype(device))
        self._optimizer = Optimizer(self._parameters, settings.optimizer, group)
        shape = (settings.num_real, settings.stride)
        self._sampler = SequenceSampler(train, config, *shape, settings.emphasis)
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

    def train_step(self, progress: float) -> StepResult:
        """One step; equal on all ranks. Draws depend on seed, rank and step only."""
        settings, rank = self.settings, self._group.rank
        rng = np.random.default_rng([settings.seed, rank, self.step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        sequence = self._sampler.sample(rng, settings.batch)
        batch = self._batch(sequence, generator)
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

    def _batch(self, sequence: Sequence, generator: torch.Generator) -> TrainingBatch:
        """Noised clips and what they came from, or what the teacher makes of their noise."""
        teacher, device = self._teacher, self._parameters.weights.device
        noise_only = torch.zeros(sequence.usable.shape[:2]) if teacher is not None else None
        batch = noised(sequence, self.config, generator, self.model.dtype, noise_only)
        batch = on_device(batch, device)
        if teacher is None:
            return batch
        return distilled(batch, teacher, self.settings.distill_steps)

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

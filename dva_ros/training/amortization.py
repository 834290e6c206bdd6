"""Context amortization: episodes to sequences with many clips, all trained in one forward."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dva_ros.data.store import EpisodeStore
from dva_ros.errors import UserError
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.instruction import hash_words
from dva_ros.video.model import ClipBatch
from dva_ros.video.noise import add_noise, sample_levels, velocity_weight
from dva_ros.video.patches import patchify, to_signal

_BEGINNINGS = 0.25
_EXECUTED_FRAMES = 3
_EXECUTED_WEIGHT = 2.0


@dataclass(frozen=True)
class Sequence:
    """Raw windows of episodes, before noise.

    Attributes:
        words: int64 [B, max_words].
        patches: uint8 [B, T + H, patches, patch_dim]; past an episode's end its last frame.
        state: normalised [B, T, J]. command: normalised [B, T + H, J]. Both float32.
        clip_start: int64 [C], in 0..T-1.
        usable: bool [B, C, H]; False for a frame in which a perturbation was being injected, and
            for all frames of a clip that starts at or past the last frame of its episode. A clip
            teaches nothing unless all its frames after the committed ones are usable: a
            disturbance whose motion is given may be imagined, none may be imitated.
    """

    words: Tensor
    patches: Tensor
    state: Tensor
    command: Tensor
    clip_start: Tensor
    usable: Tensor


@dataclass(frozen=True)
class TrainingBatch:
    """A forward's input, its answer [B, C, H, patches, patch_dim], and the weight of every
    frame's squared error [B, C, H] (float32, summing to 1 before velocity weighting)."""

    clips: ClipBatch
    target: Tensor
    weight: Tensor


class SequenceSampler:
    """Draws windows of successful episodes with a clip after every `stride`-th frame."""

    def __init__(
        self,
        store: EpisodeStore,
        config: VideoModelConfig,
        num_real: int = 48,
        stride: int = 4,
        emphasis: Mapping[str, float] | None = None,
    ) -> None:
        """`emphasis`: how many times as often episodes are drawn whose instruction has a word."""
        self._store, self._config = store, config
        self._num_real, self._stride = num_real, stride
        self._choices = _clean_frames(store)
        if not len(self._choices):
            raise UserError("the data holds no successful episode to train the video model on")
        factors = [_emphasis(instruction, emphasis or {}) for instruction in store.instructions]
        weights = np.array(factors)[self._choices[:, 0]]
        self._cumulative = np.cumsum(weights) / weights.sum()
        self._words = np.stack(
            [hash_words(i, config.word_buckets, config.max_words) for i in store.instructions]
        )
        self._mean = np.asarray(config.state_mean, dtype=np.float32)
        self._std = np.asarray(config.state_std, dtype=np.float32)

    def sample(self, rng: np.random.Generator, batch: int) -> Sequence:
        """`batch` windows around frames that can be learnt from, the first ones more often.

        Which arm does the work is decided there, from little context.
        """
        drawn = np.searchsorted(self._cumulative, rng.random(batch), side="right")
        chosen = np.minimum(drawn, len(self._choices) - 1)
        episodes, centre, beginning = self._choices[chosen].T
        centre = np.where(rng.random(batch) < _BEGINNINGS, beginning, centre)
        latest = np.maximum(np.asarray(self._store.lengths)[episodes] - self._num_real, 0)
        first = np.clip(centre - self._num_real // 2, 0, latest)
        return self._windows(episodes, first, int(rng.integers(self._stride)))

    def _windows(self, episodes: np.ndarray, first: np.ndarray, phase: int) -> Sequence:
        store, config = self._store, self._config
        starts, lengths = np.asarray(store.starts)[episodes], np.asarray(store.lengths)[episodes]
        offset = first[:, None] + np.arange(self._num_real + config.horizon)
        rows = starts[:, None] + np.minimum(offset, lengths[:, None] - 1)
        patches = patchify(store.gather_frames(rows), config.patch)
        joints = (np.stack((store.state[rows], store.command[rows])) - self._mean) / self._std
        clip_start = np.arange(phase, self._num_real, self._stride)
        clip_rows = clip_start[:, None] + np.arange(1, config.horizon + 1)
        usable = store.clean[rows][:, clip_rows]
        usable &= (offset[:, clip_start] < lengths[:, None] - 1)[..., None]
        return Sequence(
            words=torch.from_numpy(self._words[episodes]),
            patches=torch.from_numpy(patches),
            state=torch.from_numpy(joints[0, :, : self._num_real].astype(np.float32)),
            command=torch.from_numpy(joints[1].astype(np.float32)),
            clip_start=torch.from_numpy(clip_start),
            usable=torch.from_numpy(usable),
        )


def noised(
    sequence: Sequence,
    config: VideoModelConfig,
    generator: torch.Generator,
    dtype: torch.dtype,
    level: Tensor | None = None,
) -> TrainingBatch:
    """Noise every clip on its own and draw how many of its frames are committed.

    Args:
        level: noise levels [B, C] instead of drawn ones.
    """
    size, num_clips = sequence.usable.shape[:2]
    num_real, horizon = sequence.state.shape[1], config.horizon
    signal = to_signal(sequence.patches, dtype)
    rows = sequence.clip_start[:, None] + torch.arange(1, horizon + 1)
    target = signal[:, rows]
    noise = torch.randn(target.shape, generator=generator, dtype=torch.float32).to(dtype)
    if level is None:
        level = sample_levels((size, num_clips), generator)
    count = _draw_committed(config, (size, num_clips), generator)
    clips = ClipBatch(
        words=sequence.words,
        frames=signal[:, :num_real],
        state=sequence.state.to(dtype),
        clip_start=sequence.clip_start,
        noisy=add_noise(target, noise, level),
        level=level,
        committed=sequence.command[:, rows].to(dtype),
        count=count,
    )
    return TrainingBatch(clips, target, _frame_weights(sequence.usable, count, horizon))


def weighted_loss(prediction: Tensor, batch: TrainingBatch) -> Tensor:
    """Squared error as a velocity error, weighted by frame. A float32 scalar."""
    error = torch.sub(prediction, batch.target).float().square().mean((-2, -1))
    return (error * batch.weight * velocity_weight(batch.clips.level)[..., None]).sum()


def on_device(batch: TrainingBatch, device: torch.device) -> TrainingBatch:
    """The batch on another device."""
    clips = {name: value.to(device) for name, value in vars(batch.clips).items()}
    return TrainingBatch(
        replace(batch.clips, **clips), batch.target.to(device), batch.weight.to(device)
    )


def _emphasis(instruction: str, factors: Mapping[str, float]) -> float:
    """The product of the factors of all words that an instruction has."""
    words = instruction.lower().split()
    return math.prod(factor for word, factor in factors.items() if word in words)


def _clean_frames(store: EpisodeStore) -> np.ndarray:
    """Clean frames of successful episodes, int64 [K, 3]: the episode, the frame in it, and the
    first clean frame in it."""
    found = [np.zeros((0, 3), np.int64)]
    for episode in np.flatnonzero(np.asarray(store.success) & (np.asarray(store.lengths) >= 2)):
        start = int(store.starts[episode])
        frames = np.flatnonzero(store.clean[start : start + int(store.lengths[episode])])
        if len(frames):
            columns = np.broadcast_arrays(episode, frames, frames[0])
            found.append(np.stack(columns, axis=1).astype(np.int64))
    return np.concatenate(found)


def _draw_committed(
    config: VideoModelConfig, shape: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Half of the clips have the typical number, a quarter the greatest, which is what a slow
    predictor needs; the rest have any."""
    uniform = torch.randint(0, config.max_committed + 1, shape, generator=generator)
    kind = torch.rand(shape, generator=generator)
    greatest = torch.where(kind < 0.75, config.max_committed, uniform)
    return torch.where(kind < 0.5, config.typical_committed, greatest)


def _frame_weights(usable: Tensor, count: Tensor, horizon: int) -> Tensor:
    after = torch.arange(horizon) - count[..., None]
    is_executed = (after >= 0) & (after < count[..., None].clamp_min(_EXECUTED_FRAMES))
    teaches = (usable | (after < 0)).all(-1, keepdim=True) & usable.any(-1, keepdim=True)
    weight = torch.where(is_executed, _EXECUTED_WEIGHT, 1.0) * teaches
    return weight / weight.sum().clamp_min(1.0)

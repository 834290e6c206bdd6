"""What imagines the future in a closed loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import UserError
from ..leapfrog.parameters import LeapfrogParameters
from ..spec import CellSpec
from ..trained_spec import trained_spec


class FramePredictor(Protocol):
    """Keeps real frames in its memory and imagines the next ones."""

    def reset(self, instruction: str) -> None:
        """Forget everything; what is asked from now on."""

    def append(self, mosaic: np.ndarray, state: np.ndarray) -> int:
        """Remember a frame, uint8 mosaic and float32 [J]; returns its index n."""

    def predict(
        self,
        committed: np.ndarray,
        num_steps: int | None = None,
        guide: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> np.ndarray:
        """uint8 [H, h, w, 3] after the newest frame, given float32 [d, J] being executed.

        `guide` is a clip to repeat, uint8 [H, h, w, 3], and how strongly, float32 [H].
        """


class ClipDecoder(Protocol):
    """Turns a clip into joint motion."""

    def decode(self, real: np.ndarray, clip: np.ndarray, state: np.ndarray) -> np.ndarray:
        """float32 [H, J] from uint8 [k, h, w, 3], uint8 [H, h, w, 3] and float32 [J]."""


@dataclass(frozen=True)
class Imagined:
    """The answer to one request.

    Attributes:
        targets: float32 [H, J], joint commands for n+1 .. n+H.
        clip: uint8 mosaics [H, h, w, 3], or None where nothing was imagined.
    """

    targets: np.ndarray
    clip: np.ndarray | None


class Policy(Protocol):
    """Sees every frame of an episode and answers requests."""

    def begin(self, seed: int, instruction: str) -> None:
        """A new episode starts in the scene of this seed."""

    def observe(self, mosaic: np.ndarray, state: np.ndarray) -> None:
        """The next frame: uint8 mosaic and measured float32 [J]."""

    def imagine(self, committed: np.ndarray, guidance: np.ndarray | None = None) -> Imagined:
        """The future after the newest frame.

        Args:
            committed: float32 [d, J] that is being executed.
            guidance: float32 [H], how strongly (0..1) the future is to be what was imagined
                last; None for not at all.
        """


class ModelPolicy:
    """The video model and inverse dynamics behind it."""

    def __init__(self, predictor: FramePredictor, decoder: ClipDecoder, num_real: int) -> None:
        """Join both; `num_real` is k, the real frames that the decoder sees."""
        self._predictor = predictor
        self._decoder = decoder
        self._num_real = num_real
        self._real: list[np.ndarray] = []
        self._state = np.zeros(0, np.float32)
        self._last_clip: np.ndarray | None = None
        self._clip_age = 0

    def begin(self, seed: int, instruction: str) -> None:
        """A new episode starts."""
        self._predictor.reset(instruction)
        self._real = []
        self._last_clip = None

    def observe(self, mosaic: np.ndarray, state: np.ndarray) -> None:
        """Remember the next frame; before the first one the robot is taken to have rested."""
        self._predictor.append(mosaic, state)
        self._real = [*(self._real or [mosaic] * self._num_real), mosaic][-self._num_real :]
        self._state = state
        self._clip_age += 1

    def imagine(self, committed: np.ndarray, guidance: np.ndarray | None = None) -> Imagined:
        """Imagine a clip, guided toward the last one if asked to, and decode it."""
        last = self._last_clip
        if guidance is None or last is None:
            clip = self._predictor.predict(committed)
        else:
            ahead = last[self._clip_age :]
            padding = np.zeros((len(last) - len(ahead), *last.shape[1:]), last.dtype)
            weights = np.where(np.arange(len(last)) < len(ahead), guidance, 0.0)
            guide = (np.concatenate([ahead, padding]), weights.astype(np.float32))
            clip = self._predictor.predict(committed, guide=guide)
        self._last_clip, self._clip_age = clip, 0
        return Imagined(self._decoder.decode(np.stack(self._real), clip, self._state), clip)


@dataclass(frozen=True)
class LoadedPolicy:
    """A pair of checkpoints, ready to run, and the timing for its horizon."""

    policy: ModelPolicy
    leapfrog: LeapfrogParameters


def require_cell(models: Path, spec: CellSpec) -> None:
    """Refuse checkpoints of another cell than the simulated one, before anything is started.

    Raises:
        UserError: one of the two cannot be read, or is of another cell; says what differs.
    """
    for kind in ("video", "inverse_dynamics"):
        trained_spec(models / kind).require_equal(
            spec, str(models / kind), "the simulated cell, the only one that can be simulated,"
        )


def load_model_policy(
    models: Path,
    spec: CellSpec,
    *,
    num_steps: int | None = None,
    context_frames: int | None = None,
) -> LoadedPolicy:
    """Load `video` and `inverse_dynamics` from the folder `models`, one thread each.

    Raises:
        UserError: no such checkpoint, or the two, or one and the cell, do not fit together.
    """
    from ..inverse_dynamics.decoder import InverseDynamics
    from ..video.predictor import VideoPredictor

    require_cell(models, spec)
    predictor = VideoPredictor.load(
        models / "video", num_steps=num_steps, context_frames=context_frames, threads=1
    )
    decoder = InverseDynamics.load(models / "inverse_dynamics")
    horizon = predictor.config.horizon
    if decoder.config.horizon != horizon:
        raise UserError(
            f"horizon differs: the video checkpoint has {horizon}, the inverse dynamics "
            f"checkpoint {decoder.config.horizon} ({models})"
        )
    return LoadedPolicy(
        ModelPolicy(predictor, decoder, decoder.config.num_real_frames),
        LeapfrogParameters(frame_period_s=spec.frame_period_s, horizon=horizon),
    )

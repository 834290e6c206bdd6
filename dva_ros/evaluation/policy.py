"""What imagines the future in a closed loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import UserError
from ..leapfrog.parameters import LeapfrogParameters
from ..spec import CellSpec


class FramePredictor(Protocol):
    """Keeps real frames in its memory and imagines the next ones."""

    def reset(self, instruction: str) -> None:
        """Forget everything; what is asked from now on."""

    def append(self, mosaic: np.ndarray, state: np.ndarray) -> int:
        """Remember a frame, uint8 mosaic and float32 [J]; returns its index n."""

    def predict(self, committed: np.ndarray) -> np.ndarray:
        """uint8 [H, h, w, 3] after the newest frame, given float32 [d, J] being executed."""


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

    def imagine(self, committed: np.ndarray) -> Imagined:
        """The future after the newest frame, given float32 [d, J] that is being executed."""


class ModelPolicy:
    """The video model and inverse dynamics behind it."""

    def __init__(self, predictor: FramePredictor, decoder: ClipDecoder, num_real: int) -> None:
        """Join both; `num_real` is k, the real frames that the decoder sees."""
        self._predictor = predictor
        self._decoder = decoder
        self._num_real = num_real
        self._real: list[np.ndarray] = []
        self._state = np.zeros(0, np.float32)

    def begin(self, seed: int, instruction: str) -> None:
        """A new episode starts."""
        self._predictor.reset(instruction)
        self._real = []

    def observe(self, mosaic: np.ndarray, state: np.ndarray) -> None:
        """Remember the next frame; before the first one the robot is taken to have rested."""
        self._predictor.append(mosaic, state)
        self._real = [*(self._real or [mosaic] * self._num_real), mosaic][-self._num_real :]
        self._state = state

    def imagine(self, committed: np.ndarray) -> Imagined:
        """Imagine a clip and decode it."""
        clip = self._predictor.predict(committed)
        return Imagined(self._decoder.decode(np.stack(self._real), clip, self._state), clip)


@dataclass(frozen=True)
class LoadedPolicy:
    """A pair of checkpoints, ready to run, and the timing for its horizon."""

    policy: ModelPolicy
    leapfrog: LeapfrogParameters


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

    predictor = VideoPredictor.load(
        models / "video", num_steps=num_steps, context_frames=context_frames, threads=1
    )
    decoder = InverseDynamics.load(models / "inverse_dynamics")
    predictor.config.spec.require_equal(spec, "the video checkpoint", "the cell")
    decoder.require_spec(spec)
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

"""Frames and requests in any order in, predictions out: what runs in the inference thread."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from ..context.frame import ContextFrame
from ..errors import UserError
from .loading import ClipPredictor


class RequestRefusedError(UserError):
    """A request cannot be answered; says why."""


@dataclass(frozen=True)
class ClipRequest:
    """What the scheduler asks for.

    Attributes:
        session: of the frames.
        request_id: of the request.
        frame_index: n, the last real frame.
        committed: float32 [d, joints], command targets for n+1 .. n+d.
        num_steps: denoising steps; None for the predictor's own.
        received_s: when it arrived, s.
    """

    session: int
    request_id: int
    frame_index: int
    committed: np.ndarray
    num_steps: int | None
    received_s: float


@dataclass(frozen=True)
class Prediction:
    """A clip, imagined or being imagined, and the real frames that it continues.

    Attributes:
        request: that it answers.
        clip: uint8 [horizon, height, width, 3], frames n+1 .. n+horizon, once it is ready.
        real: uint8 [k, height, width, 3], frames n-k+1 .. n; the first repeats where the
            session is younger.
        newest: frame n.
        num_steps: denoising steps that make the clip.
    """

    request: ClipRequest
    clip: Future[np.ndarray]
    real: np.ndarray
    newest: ContextFrame
    num_steps: int


class PredictionSession:
    """Keeps a predictor's context in step with the camera context.

    Args:
        predictor: loaded model.
        num_real_frames: k, real frames given beside a clip.
    """

    def __init__(self, predictor: ClipPredictor, num_real_frames: int) -> None:
        self._predictor = predictor
        self._real: deque[np.ndarray] = deque(maxlen=num_real_frames)
        self._newest: ContextFrame | None = None

    @property
    def newest(self) -> ContextFrame | None:
        """The last frame in the predictor's context."""
        return self._newest

    @property
    def length(self) -> int:
        """Frames appended since the context began."""
        return self._predictor.num_frames

    def append(self, frame: ContextFrame) -> None:
        """Encode the next frame; one that does not follow the last begins anew."""
        newest = self._newest
        if newest is None or frame.session != newest.session or frame.index != newest.index + 1:
            self._predictor.reset(frame.instruction)
            self._real.clear()
        self._predictor.append(frame.mosaic, frame.position)
        self._real.append(frame.mosaic)
        self._newest = frame

    def ready(self, request: ClipRequest) -> bool:
        """Whether the request's frame is the newest in the context.

        Raises:
            RequestRefusedError: it never will be: another session, or later frames are already
                in the context.
        """
        newest = self._newest
        if newest is None or newest.session < request.session:
            return False
        if newest.session > request.session:
            raise RequestRefusedError(
                f"request {request.request_id} is of session {request.session}, "
                f"the context of session {newest.session}"
            )
        if newest.index > request.frame_index:
            raise RequestRefusedError(
                f"request {request.request_id} is for frame {request.frame_index}, "
                f"frame {newest.index} is already in the context"
            )
        return newest.index == request.frame_index

    def start(self, request: ClipRequest) -> Prediction:
        """Begin to imagine what follows the newest frame; more may be appended meanwhile.

        Raises:
            RequestRefusedError: more committed frames than the model was trained with, or
                another number of joints.
        """
        assert self._newest is not None, "ready() comes first"
        config = self._predictor.config
        count, joints = request.committed.shape
        if count > config.max_committed or joints != config.spec.num_joints:
            raise RequestRefusedError(
                f"request {request.request_id} commits {count} frames of {joints} joints; the "
                f"model takes up to {config.max_committed} of {config.spec.num_joints}"
            )
        clip = self._predictor.start(request.committed, request.num_steps)
        padding = [self._real[0]] * ((self._real.maxlen or 0) - len(self._real))
        real = np.stack([*padding, *self._real])
        steps = request.num_steps or self._predictor.num_steps
        return Prediction(request, clip, real, self._newest, steps)

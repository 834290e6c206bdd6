"""What goes into and comes out of the scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ..trajectory import Trajectory


class Mode(IntEnum):
    """What the scheduler does; the values of ``dva_msgs/LeapfrogStatus``."""

    DISENGAGED = 0
    ENGAGED = 1
    HOLDING = 2
    STOPPING = 3
    FAULT = 4


@dataclass(frozen=True)
class Frame:
    """A context frame has been published.

    Attributes:
        session: changes whenever the context is cleared.
        index: n.
        stamp: grid time of frame n on the robot's clock, s.
    """

    session: int
    index: int
    stamp: float


@dataclass(frozen=True)
class Request:
    """Ask for the future after frame n.

    Attributes:
        session: of the frame.
        request_id: counts up over the scheduler's life.
        frame_index: n.
        stamp: grid time of frame n, s.
        committed: float32 [d, J], targets of the executing motion for n+1 .. n+d.
        anchor: float64 [J], position of the executing motion at n.
        num_steps: denoising steps; 0: the predictor's own.
        guidance: float32 [H], how strongly (0..1) each frame of the clip is to repeat the clip
            before it; None: not at all. Only real-time chunking asks for it.
    """

    session: int
    request_id: int
    frame_index: int
    stamp: float
    committed: np.ndarray
    anchor: np.ndarray
    num_steps: int = 0
    guidance: np.ndarray | None = None


@dataclass(frozen=True)
class Chunk:
    """Joint targets for n+1 .. n+H, the answer to a request; or why there are none.

    Attributes:
        session: of the request.
        request_id: of the request.
        chunk_id: given by whoever made the chunk.
        frame_index: n.
        joint_names: order of the columns.
        targets: float [H, J], rad (m for grippers).
        num_steps: denoising steps that made it; 0: not known.
        frame_period_s: between its frames; 0: not said.
        refusal: why the request has no answer; nothing else counts then.
    """

    session: int
    request_id: int
    chunk_id: int
    frame_index: int
    joint_names: tuple[str, ...]
    targets: np.ndarray
    num_steps: int = 0
    frame_period_s: float = 0.0
    refusal: str = ""


class RefusedError(Exception):
    """Something is not executed.

    Attributes:
        kind: a short reason that can be counted.
        detail: the figures.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True)
class Decision:
    """What to do now: whatever is not None is to be sent.

    Attributes:
        request: to the predictor.
        trajectory: to the controllers.
        refusal: why the input was not followed; empty if it was.
        note: something else that was decided and is worth a line in the log.
    """

    request: Request | None = None
    trajectory: Trajectory | None = None
    refusal: str = ""
    note: str = ""


@dataclass(frozen=True)
class Status:
    """The content of ``dva_msgs/LeapfrogStatus``; see there for units."""

    mode: Mode
    reason: str
    session: int
    frame_index: int
    request_id: int
    chunk_id: int
    committed_frames: int
    committed_until_s: float
    latency_p50_s: float
    latency_p99_s: float
    last_latency_s: float
    predictions: int
    refusals: int
    idle_s: float
    consistency_rad: float
    max_position_step_rad: float
    max_velocity_step_rad_s: float
    consumed_ticks: int
    dropped_targets: int
    smoothed: int
    num_steps: int
    tracking_error_rad: float
    prediction_error: float
    approval_wanted: bool

"""Whether a chunk is what was asked for."""

from __future__ import annotations

import numpy as np

from .frame_checks import require_period
from .messages import Chunk, RefusedError, Request
from .parameters import LeapfrogParameters


def require_answer(chunk: Chunk, request: Request | None) -> Request:
    """The request, where the chunk answers it; raises RefusedError otherwise."""
    answers = f"it answers request {chunk.request_id} of session {chunk.session}, "
    if request is None:
        raise RefusedError("unexpected chunk", answers + "none is open")
    if (request.session, request.request_id) != (chunk.session, chunk.request_id):
        raise RefusedError("unexpected chunk", f"{answers}open is {request.request_id}")
    return request


def targets_of(
    chunk: Chunk,
    request: Request,
    joint_names: tuple[str, ...],
    parameters: LeapfrogParameters,
) -> np.ndarray:
    """The chunk's targets as float64 [H, J].

    Raises:
        RefusedError: another frame or period, other joints, another shape, or a value that is not
            finite.
    """
    if chunk.frame_index != request.frame_index:
        raise RefusedError(
            "unexpected chunk",
            f"it starts at frame {chunk.frame_index}, asked was {request.frame_index}",
        )
    if chunk.frame_period_s:
        require_period("targets are", chunk.frame_period_s, parameters)
    if tuple(chunk.joint_names) != joint_names:
        unknown = [n for n in chunk.joint_names if n not in joint_names]
        missing = [n for n in joint_names if n not in chunk.joint_names]
        raise RefusedError(
            "wrong joints",
            f"unknown {unknown}, missing {missing}" if unknown or missing else "wrong order",
        )
    targets = np.asarray(chunk.targets, np.float64)
    expected = (parameters.horizon, len(joint_names))
    if targets.shape != expected:
        raise RefusedError("wrong shape", f"targets are {targets.shape}, expected {expected}")
    bad = ~np.isfinite(targets)
    if bad.any():
        frame, joint = np.argwhere(bad)[0]
        raise RefusedError(
            "not finite",
            f"target {frame + 1} of {joint_names[joint]} is {targets[frame, joint]}",
        )
    return targets

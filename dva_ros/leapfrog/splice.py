"""Where a new chunk takes over from the executing motion, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .braking import brake
from .curve import blended, curve_through, inside_positions
from .limits import JointLimits
from .messages import RefusedError, Request
from .motion import Motion
from .parameters import LeapfrogParameters
from .timeline import Timeline
from .tracking import track

_SHORTEST_SEGMENT_S = 0.02
_POSITION_TOLERANCE = 1e-6
_RELATIVE_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Splice:
    """A motion that may be sent.

    Attributes:
        motion: the executing motion up to `start`, then the chunk's, then a braking tail.
        start: where the two meet, s.
        committed_until: time of the last target followed, where the tail begins, s.
        consumed: targets that could no longer be met.
        smoothed: the targets asked for more than the limits; the motion is a little off them.
        dropped: targets at the far end that cannot be followed; the tail begins before them.
    """

    motion: Motion
    start: float
    committed_until: float
    consumed: int
    smoothed: bool
    dropped: int


def splice(
    executing: Motion,
    request: Request,
    targets: np.ndarray,
    now: float,
    parameters: LeapfrogParameters,
    limits: JointLimits,
) -> Splice:
    """Continue the executing motion through the chunk's targets, each at its own time.

    The next chunk takes over `execute_frames` later, so only the targets up to
    n + d + execute_frames are judged. Those beyond are a reserve for a chunk that comes late:
    as many of them are followed as can be, and a wild one costs itself, not the chunk.

    Args:
        executing: what the controllers are playing.
        request: that the chunk answers.
        targets: float64 [H, J] for n+1 .. n+H, finite.
        now: s.
        parameters: timing.
        limits: of the joints.

    Raises:
        RefusedError: the chunk is too late, or cannot be followed inside the limits.
    """
    period = parameters.frame_period_s
    timeline = Timeline.of_frame(request.frame_index, request.stamp, period)
    committed = len(request.committed)
    start, first = _start(timeline, request.frame_index, committed, now, parameters)
    first_ahead = first - request.frame_index
    if first_ahead > len(targets):
        raise RefusedError(
            "late chunk",
            f"all {len(targets)} targets are past, {now - request.stamp:.3f} s after their frame",
        )
    judged = min(len(targets), max(committed + parameters.execute_frames, first_ahead))
    _refuse_outside(targets[:judged], limits)
    inside = np.clip(targets, limits.lower, limits.upper)
    curve = curve_through(request.anchor, inside[:judged], request.stamp, period)
    _refuse_jump(executing, curve, start, limits)
    for count in range(len(targets), judged - 1, -1):
        curve = curve_through(request.anchor, inside[:count], request.stamp, period)
        blend = blended(curve, executing, start, parameters.blend_s)
        try:
            ahead, smoothed = _feasible(inside_positions(blend, limits), limits)
        except RefusedError:
            if count == judged:
                raise
            continue
        break
    return Splice(
        motion=executing.until(start).joined(ahead),
        start=start,
        committed_until=timeline.time_of(request.frame_index + count),
        consumed=first_ahead - committed - 1,
        smoothed=smoothed,
        dropped=len(targets) - count,
    )


def stop(
    executing: Motion, now: float, parameters: LeapfrogParameters, limits: JointLimits
) -> Motion:
    """Leave the executing motion for a smooth stop, as soon as a message can."""
    start = now + parameters.lead_s
    position, velocity, _ = executing.sample(start)
    return executing.until(start).joined(brake(start, position, velocity, limits))


def violation(motion: Motion, limits: JointLimits) -> str:
    """The worst broken limit of a motion in words; empty if none is."""
    extremes = motion.extremes()
    excess = {
        "position": np.maximum(limits.lower - extremes.lowest, extremes.highest - limits.upper)
        - _POSITION_TOLERANCE,
        "velocity": extremes.speed / limits.velocity - 1 - _RELATIVE_TOLERANCE,
        "acceleration": extremes.acceleration / limits.acceleration - 1 - _RELATIVE_TOLERANCE,
    }
    for kind, values in excess.items():
        worst = int(np.argmax(values))
        if values[worst] > 0:
            unit = " beyond the range" if kind == "position" else " of the limit"
            value = f"{values[worst]:.4f}" if kind == "position" else f"{values[worst] + 1:.0%}"
            return f"{limits.joint_names[worst]} {kind} {value}{unit}"
    return ""


def _start(
    timeline: Timeline, frame: int, committed: int, now: float, parameters: LeapfrogParameters
) -> tuple[float, int]:
    """Time from which the chunk is followed, and the first target to be met after it."""
    reachable = now + parameters.lead_s
    start = max(reachable, timeline.time_of(frame + committed))
    first = timeline.first_after(start)
    if first > frame + committed and timeline.time_of(first) - start < _SHORTEST_SEGMENT_S:
        start = timeline.time_of(first)
        first += 1
    return start, first


def _refuse_outside(targets: np.ndarray, limits: JointLimits) -> None:
    beyond = np.maximum(limits.lower - targets, targets - limits.upper).max(axis=0)
    worst = int(np.argmax(beyond / limits.correction))
    if beyond[worst] > limits.correction[worst]:
        raise RefusedError(
            "position limit",
            f"a target of {limits.joint_names[worst]} lies {beyond[worst]:.3f} outside its range "
            f"{limits.lower[worst]:.3f} .. {limits.upper[worst]:.3f}",
        )


def _refuse_jump(executing: Motion, curve: Motion, start: float, limits: JointLimits) -> None:
    offset = np.abs(executing.sample(start)[0] - curve.sample(start)[0])
    worst = int(np.argmax(offset / limits.jump))
    if offset[worst] > limits.jump[worst]:
        raise RefusedError(
            "jump",
            f"{limits.joint_names[worst]} is {offset[worst]:.3f} away from the chunk "
            f"(at most {limits.jump[worst]:.3f})",
        )


def _feasible(wanted: Motion, limits: JointLimits) -> tuple[Motion, bool]:
    """The wanted motion with its braking tail, smoothed if it must be; True if it was."""
    exact = _with_tail(wanted, limits)
    if not violation(exact, limits):
        return exact, False
    followed = track(wanted, limits)
    missed = np.abs(followed.sample(wanted.times)[0] - wanted.positions).max(axis=0)
    worst = int(np.argmax(missed / limits.correction))
    if missed[worst] > limits.correction[worst]:
        raise RefusedError(
            "motion limit",
            f"{violation(exact, limits)}; kept, it would miss targets of "
            f"{limits.joint_names[worst]} by {missed[worst]:.3f}",
        )
    smooth = _with_tail(followed, limits)
    broken = violation(smooth, limits)
    if broken:
        raise RefusedError("motion limit", broken)
    return smooth, True


def _with_tail(motion: Motion, limits: JointLimits) -> Motion:
    return motion.joined(brake(motion.end, motion.positions[-1], motion.velocities[-1], limits))

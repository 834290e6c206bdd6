"""Where a new chunk takes over from the executing motion, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .braking import brake
from .curve import blended, curve_through, inside_positions
from .limits import JointLimits
from .messages import RefusedError, Request
from .motion import MIN_KNOT_GAP_S, Motion
from .parameters import LeapfrogParameters
from .timeline import Timeline
from .tracking import track

_POSITION_TOLERANCE = 1e-6
_RELATIVE_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Splice:
    """A motion that may be sent.

    Attributes:
        motion: from now on, its first knot the executing state at now, braking tail included.
        committed_until: time of the last target, where the tail begins, s.
        consumed: targets that could no longer be met.
        smoothed: the targets asked for more than the limits; the motion is a little off them.
    """

    motion: Motion
    committed_until: float
    consumed: int
    smoothed: bool


def splice(
    executing: Motion,
    request: Request,
    targets: np.ndarray,
    now: float,
    parameters: LeapfrogParameters,
    limits: JointLimits,
) -> Splice:
    """Continue the executing motion through the chunk's targets, each at its own time.

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
    last = request.frame_index + len(targets)
    if first > last:
        raise RefusedError("late chunk", f"all {len(targets)} targets are past, "
                           f"{now - request.stamp:.3f} s after their frame")
    _refuse_outside(targets, limits)
    inside = np.clip(targets, limits.lower, limits.upper)
    curve = curve_through(request.anchor, inside, request.stamp, period)
    _refuse_jump(executing, curve, start, limits)
    wanted = inside_positions(blended(curve, executing, start, parameters.blend_s), limits)
    ahead, smoothed = _feasible(wanted, limits)
    return Splice(
        motion=_head(executing, now, start, parameters, limits).joined(ahead),
        committed_until=timeline.time_of(last),
        consumed=first - (request.frame_index + committed + 1),
        smoothed=smoothed,
    )


def stop(
    executing: Motion, now: float, parameters: LeapfrogParameters, limits: JointLimits
) -> Motion:
    """Leave the executing motion for a smooth stop, as soon as a message can."""
    start = now + parameters.lead_s
    position, velocity, _ = executing.sample(start)
    tail = brake(start, position, velocity, limits)
    knots = _head_candidates(executing, now, start, parameters)[0]
    return _through(executing, knots).joined(tail)


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
    if first > frame + committed and timeline.time_of(first) - start < 2 * MIN_KNOT_GAP_S:
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


def _head(
    executing: Motion,
    now: float,
    start: float,
    parameters: LeapfrogParameters,
    limits: JointLimits,
) -> Motion:
    """The executing motion from now to `start`, with as few knots as keep the limits."""
    broken = ""
    for knots in _head_candidates(executing, now, start, parameters):
        head = _through(executing, knots)
        broken = violation(head, limits)
        if not broken:
            return head
    raise RefusedError("motion limit", f"while joining the executing motion: {broken}")


def _head_candidates(
    executing: Motion, now: float, start: float, parameters: LeapfrogParameters
) -> list[np.ndarray]:
    """Choices of knots from now to `start`.

    The controller draws one cubic from its state at now to the first waypoint, which is not
    before two controller periods from now. Where the executing motion has a knot of its own in
    between this cuts a corner; another first waypoint can then be better than the usual one.
    """
    shortest = now + 2 * parameters.controller_period_s
    usual = now + parameters.lead_s
    own = executing.times[(executing.times > shortest) & (executing.times < start)]
    candidates = []
    for first in (usual, *own[:2], 0.5 * (shortest + usual), start):
        between = own[(own > first + MIN_KNOT_GAP_S) & (own < start - MIN_KNOT_GAP_S)]
        knots = [now, *([first] if first < start - MIN_KNOT_GAP_S else []), *between, start]
        candidates.append(np.array(knots))
    return candidates


def _through(executing: Motion, knots: np.ndarray) -> Motion:
    positions, velocities, _ = executing.sample(knots)
    return Motion(knots, positions, velocities)

"""Where a new chunk takes over from the executing motion, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..context.grid import TOLERANCE_S, TimeGrid
from .braking import brake
from .limits import JointLimits
from .messages import RefusedError, Request
from .motion import Motion
from .parameters import LeapfrogParameters
from .shaping import Shaper
from .target_spline import blended, curve_through

_POSITION_TOLERANCE = 1e-6
_ALLOWED = 1.0001
_ALLOWED_STEP = 0.005
"""Steps of the acceleration at knots, as a share of its limit, that rounding of clocks makes."""
_SMOOTHED = 0.02
"""A motion further from its targets than this share of `correction` counts as smoothed."""
_RESERVE_WEIGHT = 0.05
_TAIL_WEIGHT = 0.01


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

    The next chunk takes over a cycle later (`execution_horizon`, or d where that is longer), so
    only the targets up to n + d + cycle are judged. Those beyond are a reserve for a late
    chunk: as many of them are followed as can be, and a wild one costs itself, not the chunk.
    Where there is no reserve, the motion coasts for the lead that the next chunk's message takes.

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
    grid = TimeGrid.of_frame(request.frame_index, request.stamp, period)
    committed = len(request.committed)
    reachable = max(now + parameters.lead_s, grid.time(request.frame_index + committed))
    start = _on_grid(executing, reachable, parameters)
    first_ahead = max(grid.first_after(start) - request.frame_index, committed + 1)
    if first_ahead > len(targets):
        raise RefusedError(
            "late chunk",
            f"all {len(targets)} targets are past, {now - request.stamp:.3f} s after their frame",
        )
    cycle = max(parameters.execution_horizon, committed)
    judged = min(len(targets), max(committed + cycle, first_ahead))
    _refuse_outside(targets[:judged], limits)
    count = _reachable(targets, judged, period, limits)
    inside = np.clip(targets[:count], limits.lower, limits.upper)
    curve = curve_through(request.anchor, inside, request.stamp, period)
    _refuse_jump(executing, curve, start, limits)
    wanted = blended(curve, executing, start, parameters.blend_s)
    judged_until = grid.time(request.frame_index + judged)
    next_start = grid.time(request.frame_index + committed + cycle) + parameters.lead_s
    coasting = max(0.0, next_start - wanted.end)
    shaper = Shaper(limits, parameters.knot_period_s, parameters.smoothing_s)
    weights = (
        (judged_until + coasting, 1.0),
        (wanted.end, _RESERVE_WEIGHT),
        (np.inf, _TAIL_WEIGHT),
    )
    ahead = shaper.follow(executing, start, _with_tail(wanted, coasting, limits), weights)
    missed = _missed(ahead, wanted, judged_until, limits)
    return Splice(
        motion=_checked(executing.until(start).joined(ahead), limits),
        start=start,
        committed_until=grid.time(request.frame_index + count),
        consumed=first_ahead - committed - 1,
        smoothed=missed > _SMOOTHED,
        dropped=len(targets) - count,
    )


def stop(
    executing: Motion, now: float, parameters: LeapfrogParameters, limits: JointLimits
) -> Motion:
    """Leave the executing motion for a smooth stop, as soon as a message can."""
    start = _on_grid(executing, now + parameters.lead_s, parameters)
    position, velocity, _ = executing.sample(start)
    shaper = Shaper(limits, parameters.knot_period_s, parameters.smoothing_s)
    tail = brake(start, position, velocity, limits)
    ahead = shaper.follow(executing, start, tail, ((np.inf, 1.0),))
    return executing.until(start).joined(ahead)


def violation(motion: Motion, limits: JointLimits) -> str:
    """The worst broken limit of a motion in words; empty if none is."""
    extremes = motion.extremes()
    beyond = np.maximum(limits.lower - extremes.lowest, extremes.highest - limits.upper)
    worst = int(np.argmax(beyond))
    if beyond[worst] > _POSITION_TOLERANCE:
        return f"{limits.joint_names[worst]} position {beyond[worst]:.4f} beyond the range"
    for kind, share, allowed in (
        ("velocity", extremes.speed / limits.velocity, _ALLOWED),
        ("acceleration", extremes.acceleration / limits.acceleration, _ALLOWED),
        ("jerk", extremes.jerk / limits.jerk, _ALLOWED),
        ("acceleration step", extremes.acceleration_step / limits.acceleration, _ALLOWED_STEP),
    ):
        worst = int(np.argmax(share))
        if share[worst] > allowed:
            return f"{limits.joint_names[worst]} {kind} {share[worst]:.1%} of the limit"
    return ""


def _on_grid(executing: Motion, time: float, parameters: LeapfrogParameters) -> float:
    """The first knot of the executing motion's grid that does not lie before `time`."""
    step = parameters.knot_period_s
    return executing.end + step * float(np.ceil((time - executing.end - TOLERANCE_S) / step))


def _reachable(targets: np.ndarray, judged: int, period: float, limits: JointLimits) -> int:
    """How many targets are followed: all up to the first wild one behind those judged."""
    steps = np.abs(np.diff(targets, axis=0)) > limits.velocity * period
    beyond = np.maximum(limits.lower - targets, targets - limits.upper) > limits.correction
    wild = (steps | beyond[1:]).any(axis=1)[judged - 1 :]
    return judged + (int(np.argmax(wild)) if wild.any() else len(wild))


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


def _missed(followed: Motion, wanted: Motion, until: float, limits: JointLimits) -> float:
    """Mean distance of the motion from the wanted one up to a time, as a share of `correction`."""
    times = wanted.times[1:][wanted.times[1:] <= until + TOLERANCE_S]
    distance = np.abs(followed.sample(times)[0] - wanted.sample(times)[0]).mean(axis=0)
    worst = int(np.argmax(distance / limits.correction))
    if distance[worst] > limits.correction[worst]:
        raise RefusedError(
            "motion limit",
            f"{violation(wanted, limits) or 'no room to stop'}; kept, it would miss targets of "
            f"{limits.joint_names[worst]} by {distance[worst]:.3f} on average",
        )
    return float(distance[worst] / limits.correction[worst])


def _checked(motion: Motion, limits: JointLimits) -> Motion:
    """The motion, once more held against every limit before anything of it is sent."""
    broken = violation(motion, limits)
    if broken:
        raise RefusedError("motion limit", broken)
    return motion


def _with_tail(motion: Motion, coasting_s: float, limits: JointLimits) -> Motion:
    """The motion, then on at its last velocity for a while, then to rest."""
    velocity = np.clip(motion.velocities[-1], -limits.velocity, limits.velocity)
    position = motion.positions[-1] + coasting_s * velocity
    tail = brake(motion.end + coasting_s, position, velocity, limits)
    return motion.joined(tail)

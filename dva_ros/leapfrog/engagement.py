"""Taking over from another sender while its motion is under way."""

from __future__ import annotations

import numpy as np

from .braking import brake
from .limits import JointLimits
from .messages import Frame, Mode, RefusedError
from .motion import Motion
from .parameters import LeapfrogParameters
from .scheduler_state import SchedulerState
from .shaping import Shaper
from .splice import violation
from .supervision import positions_fault

_STANDING = 0.005
"""Slower than this share of the velocity limit is standing."""


def engaged(
    old: SchedulerState,
    parameters: LeapfrogParameters,
    limits: JointLimits,
    now: float,
    commanded: np.ndarray,
    velocity: np.ndarray | None,
    acceleration: np.ndarray | None,
) -> SchedulerState:
    """The state at the beginning of an engagement; `commanded` and its derivatives are [J].

    Raises:
        RefusedError: values that make no sense, a joint far outside its range or too fast, or a
            latency that the horizon cannot cover.
    """
    names = limits.joint_names
    still = np.zeros(len(names))
    position = np.asarray(commanded, np.float64)
    moving = still if velocity is None else np.asarray(velocity, np.float64)
    changing = still if acceleration is None else np.asarray(acceleration, np.float64)
    faults = [positions_fault(values, names) for values in (position, moving, changing)]
    fault = next(filter(None, faults), "") or _outside(position, limits)
    fault = fault or old.budget.refusal(now)
    if fault:
        raise RefusedError("cannot engage", fault)
    wider = limits.including(position)
    motion = takeover(now, position, moving, changing, parameters, wider)
    stands = len(motion.times) == 1
    if stands and old.frame is not None:
        motion = _on_the_grid(motion, old.frame, parameters)
    return SchedulerState(
        motion,
        wider,
        old.budget,
        mode=Mode.ENGAGED,
        engaged=True,
        taken_over=now if stands else motion.end,
        now=now,
        frame=old.frame,
        frame_arrival=now,
        joint_states_arrival=now,
        request_id=old.request_id,
    )


def takeover(
    now: float,
    position: np.ndarray,
    velocity: np.ndarray,
    acceleration: np.ndarray,
    parameters: LeapfrogParameters,
    limits: JointLimits,
) -> Motion:
    """The motion from what the controller commands to rest: on as it is, then a smooth stop.

    Until the message has surely arrived the other sender's motion goes on as it is extrapolated
    here, with its acceleration, so that the controller changes over without a step.

    Args:
        now: s.
        position: float64 [J], commanded now.
        velocity: float64 [J], commanded now.
        acceleration: float64 [J], commanded now.
        parameters: timing.
        limits: of the joints.

    Returns:
        At rest at once where the robot stands.

    Raises:
        RefusedError: too fast to be stopped inside the limits; names the joint.
    """
    share = np.abs(velocity) / limits.velocity
    if share.max() < _STANDING:
        return Motion.at_rest(now, position)
    worst = int(np.argmax(share))
    times = now + np.array([-2 * parameters.overlap_s, parameters.lead_s])
    since = (times - now)[:, None]
    cruise = Motion(
        times,
        position + velocity * since + acceleration * since**2 / 2,
        velocity + acceleration * since,
    )
    shaper = Shaper(limits, parameters.knot_period_s, parameters.smoothing_s)
    tail = brake(cruise.end, cruise.positions[-1], cruise.velocities[-1], limits)
    stopped = shaper.follow(cruise, cruise.end, tail, ((np.inf, 1.0),))
    broken = violation(stopped, limits)
    if broken:
        raise RefusedError(
            "cannot engage",
            f"{limits.joint_names[worst]} moves at {velocity[worst]:.3f} and cannot be taken over "
            f"({broken}); let the other sender come to rest first",
        )
    return cruise.joined(stopped)


def _on_the_grid(rest: Motion, frame: Frame, parameters: LeapfrogParameters) -> Motion:
    """The rest since the last grid time, so that knots and frames fall together."""
    if abs(rest.end - frame.stamp) > parameters.stale_timeout_s:
        return rest
    period = parameters.frame_period_s
    frames = np.floor((rest.end - frame.stamp) / period)
    return Motion.at_rest(frame.stamp + frames * period, rest.final_position)


def _outside(position: np.ndarray, limits: JointLimits) -> str:
    outside = np.maximum(limits.lower - position, position - limits.upper)
    worst = int(np.argmax(outside / limits.correction))
    if outside[worst] <= limits.correction[worst]:
        return ""
    return (
        f"{limits.joint_names[worst]} is at {position[worst]:.3f}, outside its range "
        f"{limits.lower[worst]:.3f} .. {limits.upper[worst]:.3f}"
    )

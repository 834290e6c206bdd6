"""Taking over from another sender while its motion is under way."""

from __future__ import annotations

import numpy as np

from .braking import brake
from .limits import JointLimits
from .messages import RefusedError
from .motion import Motion
from .parameters import LeapfrogParameters
from .shaping import Shaper
from .splice import violation

_STANDING = 0.005
"""Slower than this share of the velocity limit is standing."""


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

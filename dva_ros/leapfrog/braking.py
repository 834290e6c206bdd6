"""What a braking tail aims at: constant deceleration to rest."""

from __future__ import annotations

import numpy as np

from .limits import JointLimits
from .motion import Motion

BRAKING_SHARE = 0.5
"""Share of the acceleration limit that an unhurried stop uses."""

_SHORTEST_S = 0.1
_INSTANT_S = 0.001


def brake(time: float, position: np.ndarray, velocity: np.ndarray, limits: JointLimits) -> Motion:
    """Bring every joint from a moving state to rest with constant deceleration.

    All joints stop together, so that the direction of motion is kept; a joint that would leave
    its range on the way stops earlier, with up to its whole acceleration limit.

    Args:
        time: start, s.
        position: float64 [J] at the start.
        velocity: float64 [J] at the start.
        limits: of the joints.

    Returns:
        A motion whose first knot is the given state and whose last has zero velocity.
    """
    speed = np.abs(velocity)
    ramp = limits.acceleration / limits.jerk
    together = float((speed / (BRAKING_SHARE * limits.acceleration) + ramp).max())
    together = max(_SHORTEST_S, together)
    room = np.where(velocity > 0, limits.upper - position, position - limits.lower)
    moving = speed > 1e-9
    safe_speed = np.where(moving, speed, 1.0)
    allowed = np.where(moving, 2.0 * np.maximum(room, 0.0) / safe_speed, together)
    shortest = np.maximum(speed / limits.acceleration, _INSTANT_S)
    durations = np.maximum(np.minimum(together, allowed), shortest)
    # Every joint's stop is one quadratic; where joints stop apart, all get a knot there.
    ends: list[float] = []
    for duration in np.sort(durations):
        if not ends or duration > ends[-1] + 1e-9:
            ends.append(float(duration))
    elapsed = np.minimum(np.array([0.0, *ends])[:, None], durations)
    positions = position + velocity * elapsed - velocity * elapsed**2 / (2 * durations)
    velocities = velocity * (1.0 - elapsed / durations)
    velocities[-1] = 0.0
    return Motion(time + np.array([0.0, *ends]), positions, velocities)

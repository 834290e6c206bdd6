"""Following a motion that asks for too much, as closely as the joints' limits allow."""

from __future__ import annotations

import numpy as np

from .limits import JointLimits
from .motion import Motion

STEP_S = 0.02
_MARGIN = 0.999
_CATCH_UP_SHARE = 0.5


def track(reference: Motion, limits: JointLimits) -> Motion:
    """A motion from the reference's first state that keeps the limits and stays close to it.

    Acceleration is constant over each step of `STEP_S`, so the result is exact as a spline.
    Where the reference keeps the limits with some room the result follows it; where it does
    not, the result falls behind and catches up. A stop before the end of every joint's range
    stays possible at all times.

    Args:
        reference: its first state must itself be inside the limits.
        limits: of the joints.

    Returns:
        A motion over the same time, not at rest at its end.
    """
    steps = max(1, int(np.ceil((reference.end - reference.start) / STEP_S - 1e-9)))
    times = np.linspace(reference.start, reference.end, steps + 1)
    dt = times[1] - times[0]
    wanted, wanted_velocity, _ = reference.sample(times)
    acceleration = _MARGIN * limits.acceleration
    speed = _MARGIN * limits.velocity
    positions = np.empty_like(wanted)
    velocities = np.empty_like(wanted)
    positions[0], velocities[0] = reference.positions[0], reference.velocities[0]
    for i in range(steps):
        q, v = positions[i], velocities[i]
        error = wanted[i + 1] - q - wanted_velocity[i + 1] * dt
        catch_up = np.minimum(
            np.abs(error) / (2 * dt), np.sqrt(2 * _CATCH_UP_SHARE * acceleration * np.abs(error))
        )
        target = np.clip(wanted_velocity[i + 1] + np.sign(error) * catch_up, -speed, speed)
        target = np.minimum(target, _stoppable(limits.upper - q, v, acceleration, dt))
        target = np.maximum(target, -_stoppable(q - limits.lower, -v, acceleration, dt))
        velocities[i + 1] = np.clip(target, v - acceleration * dt, v + acceleration * dt)
        positions[i + 1] = q + 0.5 * dt * (v + velocities[i + 1])
    return Motion(times, positions, velocities)


def _stoppable(
    room: np.ndarray, velocity: np.ndarray, acceleration: np.ndarray, dt: float
) -> np.ndarray:
    """Greatest velocity one step ahead from which whole braking steps end within `room`.

    The last step may need less than the whole acceleration, so half a step's way is kept free.
    """
    left = room - 0.5 * dt * velocity
    change = acceleration * dt
    return np.sqrt(np.maximum(change * change + 2 * acceleration * left, 0.0)) - change

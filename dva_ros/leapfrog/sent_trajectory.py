"""Motion as messages to controllers."""

from __future__ import annotations

import numpy as np

from ..trajectory import Trajectory, TrajectoryPoint
from .motion import Motion
from .parameters import LeapfrogParameters

_LEAST_STAMP_S = 0.001


def trajectory_to_send(
    names: tuple[str, ...], motion: Motion, now: float, parameters: LeapfrogParameters
) -> Trajectory:
    """The waypoints from a moment ago on, stamped with absolute time.

    A controller that takes the message within the lead continues, whatever the delay, on the same
    motion that it is already playing: waypoints before its present are passed over. A first
    waypoint in the future would make it draw a bridge of its own from its last command, which
    costs the velocity of one period at every splice.
    """
    stamp = max(now - parameters.overlap_s, _LEAST_STAMP_S)
    first = stamp + 2 * parameters.controller_period_s
    times = np.concatenate([[first], motion.times[motion.times > first + _LEAST_STAMP_S]])
    positions, velocities, _ = motion.sample(times)
    velocities[-1] = 0.0
    points = tuple(
        TrajectoryPoint(positions=q, velocities=v, time_from_start=float(t - stamp))
        for t, q, v in zip(times, positions, velocities, strict=True)
    )
    return Trajectory(names, points, stamp)


def played_motion(trajectory: Trajectory) -> Motion:
    """What a controller plays for a message that `trajectory_to_send` made; its inverse."""
    times = np.array([trajectory.stamp + point.time_from_start for point in trajectory.points])
    positions = np.stack([np.asarray(point.positions) for point in trajectory.points])
    velocities = np.stack([np.asarray(point.velocities) for point in trajectory.points])
    return Motion(times, positions, velocities)

"""The content of a `trajectory_msgs/JointTrajectory`, without ROS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TrajectoryPoint:
    """One waypoint.

    Attributes:
        positions: float64 [joints], rad (m for grippers); None where not sent.
        velocities: float64 [joints] per second, or None.
        accelerations: float64 [joints] per second squared, or None.
        time_from_start: seconds after the trajectory's start.
    """

    positions: np.ndarray | None
    time_from_start: float
    velocities: np.ndarray | None = None
    accelerations: np.ndarray | None = None


@dataclass(frozen=True)
class Trajectory:
    """Waypoints for named joints.

    Attributes:
        joint_names: order of every point's vectors.
        points: in order of time_from_start.
        stamp: start time in seconds on the robot's clock; 0 means on arrival.
    """

    joint_names: tuple[str, ...]
    points: tuple[TrajectoryPoint, ...]
    stamp: float = 0.0

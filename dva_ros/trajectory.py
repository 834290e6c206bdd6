"""The content of a `trajectory_msgs/JointTrajectory`, without ROS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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


def split(trajectory: Trajectory, groups: Sequence[Sequence[str]]) -> tuple[Trajectory, ...]:
    """The same motion as one trajectory for each group of joints, in the group's order.

    Stamp and times stay, so that what is played by several controllers is played together.

    Raises:
        ValueError: the groups do not have every joint of the trajectory exactly once.
    """
    grouped = [name for group in groups for name in group]
    if sorted(grouped) != sorted(trajectory.joint_names):
        raise ValueError(
            f"groups of joints {[list(group) for group in groups]} do not have each of "
            f"{list(trajectory.joint_names)} once"
        )
    index = {name: i for i, name in enumerate(trajectory.joint_names)}
    return tuple(_part(trajectory, group, [index[name] for name in group]) for group in groups)


def _part(trajectory: Trajectory, names: Sequence[str], columns: list[int]) -> Trajectory:
    def of(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[columns]

    points = tuple(
        replace(
            point,
            positions=of(point.positions),
            velocities=of(point.velocities),
            accelerations=of(point.accelerations),
        )
        for point in trajectory.points
    )
    return replace(trajectory, joint_names=tuple(names), points=points)

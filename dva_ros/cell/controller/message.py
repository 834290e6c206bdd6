"""A trajectory message inside the controller: times in whole nanoseconds, as in ROS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dva_ros.trajectory import Trajectory

NANOSECONDS = 1_000_000_000


def to_nanoseconds(seconds: float) -> int:
    """Nearest whole nanosecond; raises ValueError for a time that no ROS message can hold."""
    if not math.isfinite(seconds):
        raise ValueError(f"a ROS time must be finite, got {seconds}")
    return round(seconds * 1e9)


class Waypoint(NamedTuple):
    """A point of a message; its arrays are read-only float64, their sizes unchecked.

    Attributes:
        positions: empty where not sent.
        velocities: None where not sent.
        accelerations: None where not sent.
        time_ns: from the start of its message.
    """

    positions: np.ndarray
    velocities: np.ndarray | None
    accelerations: np.ndarray | None
    time_ns: int


@dataclass(eq=False)
class Message:
    """A message on its way to being followed; compared by identity, like a shared pointer.

    Attributes:
        joint_names: order of the waypoints' arrays.
        points: replaced, not changed in place, when joints are filled in or points spliced.
        stamp_ns: start time on the robot's clock, 0 for at once.
        source: what was submitted; None for the controller's own hold message.
    """

    joint_names: tuple[str, ...]
    points: list[Waypoint]
    stamp_ns: int = 0
    source: Trajectory | None = None

    @staticmethod
    def of(trajectory: Trajectory) -> Message:
        """Copy of a submitted trajectory.

        Raises:
            ValueError: it cannot be a ROS message: a time that is not finite, an array that is
                not one-dimensional.
        """
        points = [
            Waypoint(
                _field(point.positions, "positions", index),
                _optional(_field(point.velocities, "velocities", index)),
                _optional(_field(point.accelerations, "accelerations", index)),
                to_nanoseconds(point.time_from_start),
            )
            for index, point in enumerate(trajectory.points)
        ]
        return Message(
            tuple(trajectory.joint_names), points, to_nanoseconds(trajectory.stamp), trajectory
        )


def frozen(values: np.ndarray) -> np.ndarray:
    """Read-only float64 copy."""
    copy = np.array(values, dtype=np.float64)
    copy.setflags(write=False)
    return copy


def _field(values: np.ndarray | None, name: str, index: int) -> np.ndarray:
    array = frozen(np.empty(0) if values is None else values)
    if array.ndim != 1:
        raise ValueError(f"{name} of point {index} must be one-dimensional, got {array.shape}")
    return array


def _optional(array: np.ndarray) -> np.ndarray | None:
    return array if array.size else None

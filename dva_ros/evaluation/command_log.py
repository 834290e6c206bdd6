"""What a controller commanded, over time: when it stood still, how fast and how jerky it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..leapfrog.limits import JointLimits
from .metrics import CommandSteps

STILL_S = 0.2
"""A command that does not change for so long stands."""

_STILL_SPEED = 1e-3
"""Slower than this, rad/s or m/s, is still."""


@dataclass(frozen=True)
class CommandWindow:
    """What was commanded since some moment.

    Attributes:
        standstill_s: from that moment until the command changed no more; None where it still did
            at the end.
        max_velocity_rad_s: greatest of any arm joint.
        max_jerk_rad_s3: greatest of any arm joint, over windows of four commands.
        velocity_ratio: greatest velocity as a share of its joint's limit.
        acceleration_ratio: greatest velocity step as a share of what the acceleration limit
            allows in a period.
    """

    standstill_s: float | None
    max_velocity_rad_s: float
    max_jerk_rad_s3: float
    velocity_ratio: float
    acceleration_ratio: float


class CommandLog:
    """Collects the commands of one controller. A clock that steps back begins anew.

    Args:
        limits: of the joints.
        period_s: of the controller; a longer gap between two commands is no motion.
    """

    def __init__(self, limits: JointLimits, period_s: float) -> None:
        self._limits, self._period_s = limits, period_s
        self._arm = np.array(["gripper" not in name for name in limits.joint_names])
        self._log: list[tuple[float, np.ndarray]] = []

    @property
    def newest(self) -> float | None:
        """Time of the newest command, s; None before the first."""
        log = self._log
        return log[-1][0] if log else None

    def add(self, time: float, positions: np.ndarray) -> None:
        """Take a command, float64 [J]."""
        if self._log and time < self._log[-1][0]:
            self._log = []
        self._log.append((time, positions))

    def speed(self) -> float:
        """Of the fastest arm joint just now, rad/s."""
        last = self._log[-2:]
        if len(last) < 2 or not 0 < last[1][0] - last[0][0] < 2 * self._period_s:
            return 0.0
        change = np.abs(last[1][1] - last[0][1])[self._arm]
        return float(change.max() / (last[1][0] - last[0][0]))

    def window(self, since: float) -> CommandWindow:
        """Everything commanded since a time, s."""
        log = [entry for entry in self._log if entry[0] >= since]
        if len(log) < 2:
            return CommandWindow(0.0, 0.0, 0.0, 0.0, 0.0)
        times = np.array([time for time, _ in log])
        positions = np.stack([position for _, position in log])
        step_s = np.diff(times)
        whole = np.abs(step_s - self._period_s) < 0.5 * self._period_s
        velocity = np.abs(np.diff(positions, axis=0)) / self._period_s
        moving = np.flatnonzero((velocity > _STILL_SPEED).any(axis=1))
        stopped = times[moving[-1] + 1] if len(moving) else since
        velocity = velocity[whole]
        return CommandWindow(
            standstill_s=float(stopped - since) if times[-1] - stopped >= STILL_S else None,
            max_velocity_rad_s=_largest(velocity[:, self._arm]),
            max_jerk_rad_s3=self._greatest_jerk(positions[:, self._arm], whole),
            velocity_ratio=_largest(velocity / self._limits.velocity),
            acceleration_ratio=self._acceleration_ratio(positions, whole),
        )

    def _greatest_jerk(self, positions: np.ndarray, whole: np.ndarray) -> float:
        if len(whole) < 3:
            return 0.0
        unbroken = whole[:-2] & whole[1:-1] & whole[2:]
        return _largest(np.abs(np.diff(positions, n=3, axis=0))[unbroken] / self._period_s**3)

    def _acceleration_ratio(self, positions: np.ndarray, whole: np.ndarray) -> float:
        greatest = 0.0
        for part in np.split(positions, np.flatnonzero(~whole) + 1):
            steps = CommandSteps(self._limits, self._period_s)
            for command in part:
                steps.add(command)
            greatest = max(greatest, steps.velocity_ratio)
        return greatest


def _largest(values: np.ndarray) -> float:
    return float(values.max()) if values.size else 0.0

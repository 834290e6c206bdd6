"""Steps and jerk of what the controller commands, measured at its own rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from ..leapfrog.limits import JointLimits


class CommandSteps:
    """Watches every command that a controller writes, in order.

    A command that continues the motion of the two before it changes by no more than the
    acceleration limit explains in one period. The *velocity step* is the change of the commanded
    velocity from one period to the next; the *position step* is what remains of a change beyond
    continued motion and the acceleration limit: zero for smooth motion, the size of the jump for
    a jump. *Jerk* is the third difference of four commands in a row over the period's cube; its
    root mean square is over all arm joints and all such windows in which any arm joint moves, so
    that standing still does not make a motion look smooth.

    Attributes:
        position_step_rad: greatest of any arm joint.
        velocity_step_rad_s: greatest of any arm joint.
        gripper_position_step_m: greatest of any gripper joint.
        gripper_velocity_step_m_s: greatest of any gripper joint.
        velocity_ratio: greatest velocity step as a share of acceleration limit times period.
        moving_s: time in which an arm joint moves: such windows times the period.
    """

    def __init__(self, limits: JointLimits, period_s: float) -> None:
        self._period_s = period_s
        self._allowed = limits.acceleration * period_s
        self._gripper = np.array([name.endswith("gripper") for name in limits.joint_names])
        self._last: list[np.ndarray] = []
        self.position_step_rad = 0.0
        self.velocity_step_rad_s = 0.0
        self.gripper_position_step_m = 0.0
        self.gripper_velocity_step_m_s = 0.0
        self.velocity_ratio = 0.0
        self.moving_s = 0.0
        self._jerk_square_sum = 0.0

    @property
    def rms_jerk_rad_s3(self) -> float:
        """Root mean square of the arm joints' jerk while moving, rad/s^3; 0 without motion."""
        integral = self.moving_s * int((~self._gripper).sum())
        return (self._jerk_square_sum / integral) ** 0.5 if integral else 0.0

    def add(self, command: np.ndarray) -> None:
        """Count one command, float [J]."""
        self._last = [*self._last[-3:], np.asarray(command, np.float64).copy()]
        if len(self._last) == 4:
            self._add_jerk(np.stack(self._last)[:, ~self._gripper])
        if len(self._last) < 3:
            return
        a, b, c = self._last[-3:]
        velocity = np.abs(c - 2 * b + a) / self._period_s
        position = np.maximum(0.0, velocity - self._allowed) * self._period_s
        arm, gripper = ~self._gripper, self._gripper
        self.position_step_rad = max(self.position_step_rad, _largest(position[arm]))
        self.velocity_step_rad_s = max(self.velocity_step_rad_s, _largest(velocity[arm]))
        self.gripper_position_step_m = max(
            self.gripper_position_step_m, _largest(position[gripper])
        )
        self.gripper_velocity_step_m_s = max(
            self.gripper_velocity_step_m_s, _largest(velocity[gripper])
        )
        self.velocity_ratio = max(self.velocity_ratio, _largest(velocity / self._allowed))

    def _add_jerk(self, window: np.ndarray) -> None:
        if not np.ptp(window, axis=0).any():
            return
        jerk = np.diff(window, n=3, axis=0)[0] / self._period_s**3
        self.moving_s += self._period_s
        self._jerk_square_sum += self._period_s * float(jerk @ jerk)


class Moving(Protocol):
    """Something whose jerk was measured."""

    @property
    def rms_jerk_rad_s3(self) -> float: ...

    @property
    def moving_s(self) -> float: ...


def pooled_rms_jerk(parts: Iterable[Moving]) -> float:
    """Root mean square jerk over the moving time of all parts, rad/s^3."""
    pairs = [(part.moving_s, part.rms_jerk_rad_s3) for part in parts]
    moving_s = sum(seconds for seconds, _ in pairs)
    squares = sum(seconds * jerk**2 for seconds, jerk in pairs)
    return (squares / moving_s) ** 0.5 if moving_s else 0.0


def _largest(values: np.ndarray) -> float:
    return float(values.max()) if values.size else 0.0

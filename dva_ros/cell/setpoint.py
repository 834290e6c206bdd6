"""A grasp point and a gripper that move toward their goals within speed and acceleration."""

from __future__ import annotations

import math

import numpy as np

from .kinematics import UnreachableError, forward_kinematics, inverse_kinematics_down

MAX_SPEED_M_S = 0.40
MAX_ACCELERATION_M_S2 = 2.0
GRIPPER_SPEED_M_S = 0.15


class ArmSetpoint:
    """The commanded pose of one arm, tool down.

    Attributes:
        position: commanded grasp point, float64 [3], world frame, m.
        velocity: float64 [3], m/s.
        opening: commanded finger travel, m.
        finger_yaw: angle of the finger axis from world +y, rad.
    """

    def __init__(self, side: str, position: np.ndarray, opening: float) -> None:
        self.side = side
        self.position = np.asarray(position, dtype=np.float64).copy()
        self.velocity = np.zeros(3)
        self.opening = opening
        self.finger_yaw = 0.0
        self._joints = inverse_kinematics_down(side, self.position)

    @staticmethod
    def from_joints(side: str, joints: np.ndarray, velocities: np.ndarray) -> ArmSetpoint:
        """Setpoint of an arm in motion: [7] positions (rad; finger travel m) and their rates.

        The tool is taken to point down. Raises `UnreachableError` where it could not.
        """
        ahead_s = 1e-3
        here, ahead = (
            forward_kinematics(side, q)[0]
            for q in (joints[:6], joints[:6] + velocities[:6] * ahead_s)
        )
        setpoint = ArmSetpoint(side, here, float(joints[6]))
        setpoint.velocity = (ahead - here) / ahead_s
        return setpoint

    def advance(self, goal: np.ndarray, opening: float, period_s: float) -> None:
        """Move one control period toward `goal` (m) and finger travel `opening` (m)."""
        offset = goal - self.position
        distance = float(np.linalg.norm(offset))
        braking = math.sqrt(2.0 * 0.6 * MAX_ACCELERATION_M_S2 * distance)
        speed = min(MAX_SPEED_M_S, braking, 8.0 * distance)
        wanted = offset * (speed / distance) if distance > 1e-9 else np.zeros(3)
        change = wanted - self.velocity
        size = float(np.linalg.norm(change))
        limit = MAX_ACCELERATION_M_S2 * period_s
        self.velocity += change if size <= limit else change * (limit / size)
        self.position += self.velocity * period_s
        step = GRIPPER_SPEED_M_S * period_s
        self.opening += float(np.clip(opening - self.opening, -step, step))

    def command(self) -> np.ndarray:
        """Joint positions of this arm and its gripper, float64 [7]; the last reachable ones."""
        try:
            self._joints = inverse_kinematics_down(self.side, self.position, self.finger_yaw)
        except UnreachableError:
            self.velocity[:] = 0.0
        return np.append(self._joints, self.opening)

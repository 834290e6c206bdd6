"""What a joint_trajectory_controller says that it commands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ControllerSetpoint:
    """One state of a controller; arrays are float64 [its joints] and finite.

    Attributes:
        stamp: of the update that it reports, s.
        joint_names: order of the arrays.
        output: positions written last.
        positions: of the reference.
        velocities: of the reference.
        accelerations: of the reference.
    """

    stamp: float
    joint_names: tuple[str, ...]
    output: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray
    accelerations: np.ndarray

    def at(self, now: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions, velocities and accelerations now; at rest the positions written."""
        if not self.velocities.any():
            return self.output, self.velocities, self.accelerations
        since = now - self.stamp
        return (
            self.positions + self.velocities * since + self.accelerations * since**2 / 2,
            self.velocities + self.accelerations * since,
            self.accelerations,
        )

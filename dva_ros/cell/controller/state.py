"""What goes into the controller from the hardware and what it reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class JointState:
    """Measured joints in the controller's order.

    Attributes:
        positions: float [joints], rad (m for grippers).
        velocities: per second, None where not measured.
        accelerations: per second squared, None where not measured.
    """

    positions: np.ndarray
    velocities: np.ndarray | None = None
    accelerations: np.ndarray | None = None


@dataclass(frozen=True)
class ControllerState:
    """One update as `control_msgs/JointTrajectoryControllerState` reports it.

    Attributes:
        time: of the update, s.
        reference: the trajectory at `time`; all three fields are float64 [joints].
        reference_time_from_start: s since the start of the trajectory that is followed.
        feedback: measured state; only the configured state interfaces.
        error: reference minus feedback, positions only, as for a position command interface.
        output: positions written to the hardware in this update, NaN before the first.
    """

    time: float
    reference: JointState
    reference_time_from_start: float
    feedback: JointState
    error: JointState
    output: np.ndarray

"""Splines between two waypoints, their coefficients computed once."""

from __future__ import annotations

import numpy as np

from .message import NANOSECONDS, Waypoint


class Segment:
    """Polynomial motion from one waypoint to the next.

    Its degree follows from the fields that both ends have: positions give a line, velocities a
    cubic, accelerations too a quintic. Accelerations without velocities give zeros, as in the
    real controller.
    """

    __slots__ = ("_coefficients",)

    def __init__(self, start: Waypoint, end: Waypoint, duration_ns: int) -> None:
        """Both ends hold float64 [joints] arrays; the duration is positive."""
        duration = duration_ns / NANOSECONDS
        p0, v0, a0 = start.positions, start.velocities, start.accelerations
        p1, v1, a1 = end.positions, end.velocities, end.accelerations
        if v0 is not None and v1 is not None:
            if a0 is not None and a1 is not None:
                self._coefficients = _quintic(p0, v0, a0, p1, v1, a1, duration)
            else:
                self._coefficients = _cubic(p0, v0, p1, v1, duration)
        elif a0 is not None and a1 is not None:
            self._coefficients = np.zeros((2, p0.size))
        else:
            self._coefficients = np.stack((p0, (p1 - p0) / duration))

    def at(self, time_ns: int) -> np.ndarray:
        """Position, velocity and acceleration, float64 [3, joints], `time_ns` after its start."""
        coefficients = self._coefficients
        t = time_ns / NANOSECONDS
        t2 = t * t
        if len(coefficients) == 2:
            values = np.zeros((3, coefficients.shape[1]))
            values[0] = coefficients[0] + t * coefficients[1]
            values[1] = coefficients[1]
            return values
        t3 = t2 * t
        if len(coefficients) == 4:
            basis = np.array(
                ((1.0, t, t2, t3), (0.0, 1.0, 2.0 * t, 3.0 * t2), (0.0, 0.0, 2.0, 6.0 * t))
            )
        else:
            t4 = t3 * t
            basis = np.array(
                (
                    (1.0, t, t2, t3, t4, t4 * t),
                    (0.0, 1.0, 2.0 * t, 3.0 * t2, 4.0 * t3, 5.0 * t4),
                    (0.0, 0.0, 2.0, 6.0 * t, 12.0 * t2, 20.0 * t3),
                )
            )
        return basis @ coefficients


def _cubic(p0: np.ndarray, v0: np.ndarray, p1: np.ndarray, v1: np.ndarray, T: float) -> np.ndarray:
    step = p1 - p0
    return np.stack(
        (
            p0,
            v0,
            (3.0 * step - (2.0 * v0 + v1) * T) / T**2,
            (-2.0 * step + (v0 + v1) * T) / T**3,
        )
    )


def _quintic(
    p0: np.ndarray,
    v0: np.ndarray,
    a0: np.ndarray,
    p1: np.ndarray,
    v1: np.ndarray,
    a1: np.ndarray,
    T: float,
) -> np.ndarray:
    step = p1 - p0
    return np.stack(
        (
            p0,
            v0,
            0.5 * a0,
            (20.0 * step - (12.0 * v0 + 8.0 * v1) * T + (a1 - 3.0 * a0) * T**2) / (2.0 * T**3),
            (-30.0 * step + (16.0 * v0 + 14.0 * v1) * T + (3.0 * a0 - 2.0 * a1) * T**2)
            / (2.0 * T**4),
            (12.0 * step - 6.0 * (v0 + v1) * T + (a1 - a0) * T**2) / (2.0 * T**5),
        )
    )

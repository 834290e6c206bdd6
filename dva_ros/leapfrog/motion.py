"""Joint motion as a piecewise cubic: what a controller plays between two waypoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..context.grid import TOLERANCE_S


@dataclass(frozen=True)
class Motion:
    """Cubic Hermite spline through knots; at rest before the first and after the last.

    This is exactly what a joint_trajectory_controller plays for waypoints with positions and
    velocities, so that limits which hold here hold on the robot.

    Attributes:
        times: float64 [K], strictly increasing, s on the robot's clock.
        positions: float64 [K, J], rad (m for grippers).
        velocities: float64 [K, J], per second.
    """

    times: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray

    @staticmethod
    def at_rest(time: float, position: np.ndarray) -> Motion:
        """A motion that stays at `position` [J] forever."""
        position = np.asarray(position, np.float64)[None]
        return Motion(np.array([time]), position, np.zeros_like(position))

    @property
    def start(self) -> float:
        """Time of the first knot, s."""
        return float(self.times[0])

    @property
    def end(self) -> float:
        """Time of the last knot, s."""
        return float(self.times[-1])

    @property
    def final_position(self) -> np.ndarray:
        """Where it ends, float64 [J]."""
        return self.positions[-1]

    def sample(self, times: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Position, velocity and acceleration at the given times.

        Args:
            times: a scalar or float [N], s.

        Returns:
            Three float64 arrays [J] for a scalar, [N, J] for an array.
        """
        wanted = np.atleast_1d(np.asarray(times, np.float64))
        shape = (len(wanted), self.positions.shape[1])
        outside = (wanted < self.times[0]) | (wanted > self.times[-1])
        if len(self.times) == 1:
            position = np.broadcast_to(self.positions[0], shape).copy()
            velocity, acceleration = np.zeros(shape), np.zeros(shape)
        else:
            k = np.clip(
                np.searchsorted(self.times, wanted, side="right") - 1, 0, len(self.times) - 2
            )
            c0, c1, c2, c3 = (c[k] for c in self._coefficients)
            u = (np.clip(wanted, self.times[0], self.times[-1]) - self.times[k])[:, None]
            position = c0 + u * (c1 + u * (c2 + u * c3))
            velocity = c1 + u * (2 * c2 + 3 * u * c3)
            acceleration = 2 * c2 + 6 * u * c3
            velocity[outside] = 0.0
            acceleration[outside] = 0.0
        if np.ndim(times) == 0:
            return position[0], velocity[0], acceleration[0]
        return position, velocity, acceleration

    def since(self, time: float) -> Motion:
        """The same motion without the knots that end before `time`."""
        first = max(0, int(np.searchsorted(self.times, time, side="right")) - 1)
        return Motion(self.times[first:], self.positions[first:], self.velocities[first:])

    def until(self, time: float) -> Motion:
        """The same motion up to `time`, cut or extended at rest to a knot there."""
        position, velocity, _ = self.sample(time)
        kept = self.times < time - TOLERANCE_S
        return Motion(
            np.append(self.times[kept], time),
            np.vstack([self.positions[kept], position]),
            np.vstack([self.velocities[kept], velocity]),
        )

    def joined(self, later: Motion) -> Motion:
        """This motion, then `later`, whose knots must start where this one ends (in time)."""
        skip = int(later.start <= self.end + TOLERANCE_S)
        return Motion(
            np.concatenate([self.times, later.times[skip:]]),
            np.vstack([self.positions, later.positions[skip:]]),
            np.vstack([self.velocities, later.velocities[skip:]]),
        )

    def extremes(self) -> Extremes:
        """Exact extremes of every joint over the whole spline."""
        zeros = np.zeros(self.positions.shape[1])
        if len(self.times) == 1:
            return Extremes(self.positions[0], self.positions[0], zeros, zeros, zeros, zeros)
        c0, c1, c2, c3 = self._coefficients
        h = np.diff(self.times)[:, None]
        stationary = [np.broadcast_to(0.0, c0.shape), np.broadcast_to(h, c0.shape)]
        discriminant = np.sqrt(np.maximum(c2 * c2 - 3 * c1 * c3, 0.0))
        for numerator, denominator in (
            (-c2 + discriminant, 3 * c3),
            (-c2 - discriminant, 3 * c3),
            (-c1, 2 * c2),
        ):
            stationary.append(_inside(numerator, denominator, h))
        u = np.stack(stationary)
        position = c0 + u * (c1 + u * (c2 + u * c3))
        u_velocity = np.stack([stationary[0], stationary[1], _inside(-c2, 3 * c3, h)])
        velocity = c1 + u_velocity * (2 * c2 + 3 * u_velocity * c3)
        acceleration = np.stack([2 * c2, 2 * c2 + 6 * h * c3])
        # Behind the last knot is rest.
        steps = np.vstack([acceleration[0, 1:], zeros]) - acceleration[1]
        return Extremes(
            position.min((0, 1)),
            position.max((0, 1)),
            np.abs(velocity).max((0, 1)),
            np.abs(acceleration).max((0, 1)),
            np.abs(6 * c3).max(0),
            np.abs(steps).max(0),
        )

    @cached_property
    def _coefficients(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        h = np.diff(self.times)[:, None]
        v0, v1 = self.velocities[:-1], self.velocities[1:]
        slope = np.diff(self.positions, axis=0) / h
        return self.positions[:-1], v0, (3 * slope - 2 * v0 - v1) / h, (v0 + v1 - 2 * slope) / h**2


@dataclass(frozen=True)
class Extremes:
    """Extremes of a motion, each float64 [J].

    Attributes:
        lowest: position.
        highest: position.
        speed: greatest.
        acceleration: greatest.
        jerk: greatest between knots.
        acceleration_step: greatest change of the acceleration at a knot.
    """

    lowest: np.ndarray
    highest: np.ndarray
    speed: np.ndarray
    acceleration: np.ndarray
    jerk: np.ndarray
    acceleration_step: np.ndarray


def _inside(numerator: np.ndarray, denominator: np.ndarray, h: np.ndarray) -> np.ndarray:
    """numerator / denominator where it lies within 0..h, else 0."""
    small = np.abs(denominator) < 1e-12
    u = numerator / np.where(small, 1.0, denominator)
    return np.where(small | (u < 0) | (u > h), 0.0, u)

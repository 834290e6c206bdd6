"""The motion nearest to a wanted one that keeps every limit, jerk included, and ends at rest.

A motion is a spline of constant jerk over each step of a grid: continuous in position, velocity
and acceleration. Its limits are linear in the jerks (a polynomial lies within the hull of its
Bezier points), and so is the rest at its end, so that the nearest motion is one small quadratic
program per joint, which DAQP (a dual active-set solver) answers exactly within a millisecond.

What is executing already is such a motion, on the same grid, and keeps the limits: a program
always has an answer, and where the solver gives none the joint stays with what it is doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import daqp
import numpy as np

from .limits import JointLimits
from .motion import Motion

MARGIN = 0.995
"""Share of the limits on velocity, acceleration and jerk that is used."""

_EQUAL = 5
_RESTING = 1e-7
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class _Program:
    """The matrices for a number of steps, in jerks as a share of the limit of a unit joint.

    Attributes:
        free: float64 [3, N+1, 3], position, velocity, acceleration at the knots from the state.
        forced: float64 [3, N+1, N], the same from the jerks.
        bounded_free: float64 [C, 3], what has bounds, from the state.
        bounded_forced: float64 [C, N], the same from the jerks.
        kinds: int [C], 0 for positions, 1 for velocities, 2 for accelerations.
    """

    free: np.ndarray
    forced: np.ndarray
    bounded_free: np.ndarray
    bounded_forced: np.ndarray
    kinds: np.ndarray


@lru_cache(maxsize=256)
def _program(steps: int, step_s: float) -> _Program:
    h, knots = step_s, np.arange(steps + 1)
    since = h * (knots[:, None] - np.arange(steps)[None] - 1)
    done = since > -h / 2
    t = h * knots
    one, zero = np.ones_like(t), np.zeros_like(t)
    free = np.stack(
        [np.stack([one, t, t * t / 2], 1), np.stack([zero, one, t], 1),
         np.stack([zero, zero, one], 1)]
    )  # fmt: skip
    forced = np.stack(
        [
            np.where(done, h**3 / 6 + h * h / 2 * since + h * since**2 / 2, 0.0),
            np.where(done, h * h / 2 + h * since, 0.0),
            np.where(done, h, 0.0),
        ]
    )

    def rows(values: np.ndarray) -> list[np.ndarray]:
        p, v, a = values
        return [
            p[1:], p[1:-1] + h / 3 * v[1:-1], p[1:] - h / 3 * v[1:],
            v[1:], v[1:-1] + h / 2 * a[1:-1], a[1:],
        ]  # fmt: skip

    sizes = [len(block) for block in rows(free)]
    return _Program(
        free,
        forced,
        np.concatenate(rows(free)),
        np.concatenate(rows(forced)),
        np.repeat([0, 0, 0, 1, 1, 2], sizes),
    )


def cached_programs() -> int:
    """How many programs are kept for motions of other lengths; bounded."""
    return _program.cache_info().currsize


@dataclass(frozen=True)
class Shaper:
    """Makes motions that may be sent.

    Attributes:
        limits: of the joints.
        step_s: of the grid of knots.
        smoothing_s: what the reference does within less than about this time is smoothed away.
    """

    limits: JointLimits
    step_s: float
    smoothing_s: float

    def follow(
        self,
        executing: Motion,
        start: float,
        reference: Motion,
        weights: tuple[tuple[float, float], ...],
    ) -> Motion:
        """Leave the executing motion at `start` for the reference, as closely as limits allow.

        Args:
            executing: all limits kept, knots on one grid.
            start: a point of that grid, s.
            reference: anything finite; followed in position, its range clipped.
            weights: (until when, s; how much a distance from the reference counts), in order.

        Returns:
            A motion from `start` to rest.
        """
        settle = float((self.limits.acceleration / self.limits.jerk).max()) + 2 * self.step_s
        soon = reference.end + settle
        motion, solved = self._follow(executing, start, reference, weights, soon)
        if not solved and executing.end > soon:
            motion, _ = self._follow(executing, start, reference, weights, executing.end)
        return motion

    def _follow(
        self,
        executing: Motion,
        start: float,
        reference: Motion,
        weights: tuple[tuple[float, float], ...],
        end: float,
    ) -> tuple[Motion, bool]:
        """As `follow`, at rest at `end`; False where a joint stayed with the executing motion."""
        h, limits = self.step_s, self.limits
        steps = max(2, int(np.ceil((end - start) / h - 1e-6)))
        times = start + h * np.arange(steps + 1)
        wanted = np.clip(reference.sample(times)[0], limits.lower, limits.upper)
        weight = np.full(steps + 1, weights[-1][1])
        for until, value in reversed(weights[:-1]):
            weight[times <= until + h / 2] = value
        state = np.stack(executing.sample(start))
        positions, velocities, _ = executing.sample(times)
        program = _program(steps, h)
        unit = program.forced[0] / self.smoothing_s**3
        hessian = unit.T @ (weight[:, None] * unit) + np.eye(steps)
        gradient = unit.T @ (weight[:, None] * (program.free[0] @ state - wanted))
        solved = True
        for joint in range(limits.num_joints):
            jerk = MARGIN * limits.jerk[joint]
            pull = gradient[:, joint] / (jerk * self.smoothing_s**3)
            shares = self._shares(program, hessian, pull, state[:, joint], joint)
            if shares is None:
                solved = False
                continue
            p, v, _ = program.free @ state[:, joint] + program.forced @ (jerk * shares)
            positions[:, joint], velocities[:, joint] = p, v
        moving = np.flatnonzero((np.abs(velocities) > _RESTING).any(axis=1))
        last = min(int(moving[-1]) + 1 if moving.size else 1, steps)
        velocities[last] = 0.0
        motion = Motion(times[: last + 1], positions[: last + 1], velocities[: last + 1])
        return motion, solved

    def _shares(
        self,
        program: _Program,
        hessian: np.ndarray,
        gradient: np.ndarray,
        state: np.ndarray,
        joint: int,
    ) -> np.ndarray | None:
        """Jerks as shares of the limit, float64 [N], or None."""
        limits = self.limits
        jerk = MARGIN * limits.jerk[joint]
        fastest = MARGIN * np.array([limits.velocity[joint], limits.acceleration[joint]])
        upper = np.append(limits.upper[joint], fastest)
        lower = np.append(limits.lower[joint], -fastest)
        unforced = program.bounded_free @ state
        rest = -(program.free[1:, -1] @ state)
        one = np.ones(program.forced.shape[2])
        matrix = jerk * np.concatenate([program.bounded_forced, program.forced[1:, -1]])
        above = np.concatenate([one, upper[program.kinds] - unforced, rest])
        below = np.concatenate([-one, lower[program.kinds] - unforced, rest])
        sense = np.zeros(len(above), np.int32)
        sense[-2:] = _EQUAL
        share, _, exit_flag, _ = daqp.solve(
            hessian, gradient, matrix, above, below, sense, primal_tol=_TOLERANCE
        )
        return np.asarray(share) if exit_flag > 0 and np.isfinite(share).all() else None

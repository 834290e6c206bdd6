"""A smooth curve through a chunk's targets, at their own times."""

from __future__ import annotations

import numpy as np

from .motion import Motion


def curve_through(anchor: np.ndarray, targets: np.ndarray, start: float, period: float) -> Motion:
    """Cubic curve through the anchor at `start` and the targets one period apart after it.

    Velocities are central differences (Catmull-Rom), one-sided at both ends.

    Args:
        anchor: float [J], position at frame n.
        targets: float [H, J], positions at n+1 .. n+H.
        start: time of frame n, s.
        period: of the grid, s.
    """
    positions = np.vstack([anchor[None], targets]).astype(np.float64)
    times = start + period * np.arange(len(positions))
    return Motion(times, positions, np.gradient(positions, period, axis=0))


def blended(curve: Motion, executing: Motion, start: float, blend_s: float) -> Motion:
    """The curve from `start` on, beginning in the executing motion's state.

    The difference in position and velocity at `start` decays to nothing on a grid point at
    least `blend_s` later (or at the curve's end). Both are cubic between knots, so is the sum.
    """
    position, velocity, _ = curve.sample(start)
    from_position, from_velocity, _ = executing.sample(start)
    grid = curve.times[curve.times > start + 1e-9]
    end = grid[min(int(np.searchsorted(grid, start + blend_s - 1e-9)), len(grid) - 1)]
    offset = np.stack([from_position - position, np.zeros_like(position)])
    offset_velocity = np.stack([from_velocity - velocity, np.zeros_like(velocity)])
    decay = Motion(np.array([start, end]), offset, offset_velocity)
    times = np.array([start, *grid])
    p, v, _ = curve.sample(times)
    dp, dv, _ = decay.sample(times)
    return Motion(times, p + dp, v + dv)

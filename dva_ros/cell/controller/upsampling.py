"""`positions_upsampling` (master): velocities for messages that hold positions only."""

from __future__ import annotations

import numpy as np

from .message import NANOSECONDS, Message, frozen


def upsample_positions(message: Message, policy_frequency: float) -> None:
    """Give every point the velocities of one cubic spline that rests at the first and last point.

    Times are made up at `policy_frequency` (Hz, where above 0) if all are zero. A message with
    other fields, fewer than two points, uneven sizes or times that do not increase is left alone.
    """
    points = message.points
    if not points or any(
        point.positions.size == 0
        or point.velocities is not None
        or point.accelerations is not None
        for point in points
    ):
        return
    if policy_frequency > 0.0 and all(point.time_ns == 0 for point in points):
        interval = 1.0 / policy_frequency
        points = [
            point._replace(time_ns=int((index + 1) * interval * NANOSECONDS))
            for index, point in enumerate(points)
        ]
        message.points = points
    times = np.array([point.time_ns for point in points]) / NANOSECONDS
    even = len({point.positions.size for point in points}) == 1
    if len(points) < 2 or not even or not np.all(np.diff(times) > 0.0):
        return
    velocities = spline_velocities(times, np.stack([point.positions for point in points]))
    message.points = [
        point._replace(velocities=frozen(velocity))
        for point, velocity in zip(points, velocities, strict=True)
    ]


def spline_velocities(times: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Knot velocities with continuous acceleration and rest at both ends.

    Args:
        times: float64 [points], strictly increasing, s.
        positions: float64 [points, joints].

    Returns:
        float64 [points, joints].
    """
    inverse = 1.0 / np.diff(times)
    slopes = np.diff(positions, axis=0) * inverse[:, None] ** 2
    velocities = np.zeros_like(positions)
    upper = np.zeros(len(times))
    for index in range(1, len(times) - 1):
        pivot = 2.0 * (inverse[index - 1] + inverse[index]) - inverse[index - 1] * upper[index - 1]
        upper[index] = inverse[index] / pivot
        target = 3.0 * (slopes[index] + slopes[index - 1])
        velocities[index] = (target - inverse[index - 1] * velocities[index - 1]) / pivot
    for index in range(len(times) - 2, 0, -1):
        velocities[index] -= upper[index] * velocities[index + 1]
    return velocities

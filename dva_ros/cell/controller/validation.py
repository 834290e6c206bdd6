"""The checks that a message passes before it is followed: those of the real one, no others."""

from __future__ import annotations

import numpy as np

from .generation import Generation
from .message import NANOSECONDS, Message
from .parameters import ControllerParameters

_FLOAT32_EPSILON = float(np.finfo(np.float32).eps)


def refusal(
    message: Message,
    now_ns: int,
    joint_names: tuple[str, ...],
    parameters: ControllerParameters,
    generation: Generation,
) -> str | None:
    """Why the controller refuses the message, None where it accepts it.

    NaN, limits, repeated joint names and a jump to the first point are not checked.
    """
    if not parameters.allow_partial_joints_goal and len(message.joint_names) != len(joint_names):
        return (
            f"the trajectory's {len(message.joint_names)} joints don't match the controller's "
            f"{len(joint_names)} joints"
        )
    if not message.joint_names:
        return "the trajectory has no joint names"
    if message.stamp_ns < 0:
        return f"the stamp {message.stamp_ns / NANOSECONDS:f} is negative"
    if generation.is_first:
        checks = (
            _ends_in_past(message, now_ns, sum(point.time_ns for point in message.points)),
            _unknown_joint(message, joint_names),
            _ends_moving_first_version(message, parameters),
        )
    elif not message.points:
        return "the trajectory is empty, it has no points"
    else:
        checks = (
            _unknown_joint(message, joint_names),
            _ends_moving(message, parameters),
            _ends_in_past(message, now_ns, message.points[-1].time_ns),
        )
    return next((reason for reason in checks if reason is not None), None) or _bad_point(message)


def _unknown_joint(message: Message, joint_names: tuple[str, ...]) -> str | None:
    for name in message.joint_names:
        if name not in joint_names:
            return f"incoming joint {name} doesn't match the controller's joints"
    return None


def _ends_in_past(message: Message, now_ns: int, duration_ns: int) -> str | None:
    end_ns = message.stamp_ns + duration_ns
    if message.stamp_ns == 0 or end_ns >= now_ns:
        return None
    return (
        f"the trajectory with non-zero start time ({message.stamp_ns / NANOSECONDS:f}) ends in "
        f"the past ({end_ns / NANOSECONDS:f})"
    )


def _ends_moving(message: Message, parameters: ControllerParameters) -> str | None:
    velocities = message.points[-1].velocities
    if parameters.allow_nonzero_velocity_at_trajectory_end or velocities is None:
        return None
    return _first_moving(message, velocities, np.abs(velocities) > _FLOAT32_EPSILON)


def _ends_moving_first_version(message: Message, parameters: ControllerParameters) -> str | None:
    """4.0.0 compares with exactly zero, and reads past the end of a message without points."""
    if parameters.allow_nonzero_velocity_at_trajectory_end:
        return None
    if not message.points:
        return "the trajectory has no points (the real 4.0.0 reads invalid memory here)"
    velocities = message.points[-1].velocities
    if velocities is None:
        return None
    return _first_moving(message, velocities, velocities != 0.0)


def _first_moving(message: Message, velocities: np.ndarray, moving: np.ndarray) -> str | None:
    if not moving.any():
        return None
    index = int(np.argmax(moving))
    name = message.joint_names[index] if index < len(message.joint_names) else f"#{index}"
    return (
        f"velocity of last trajectory point of joint {name} is not zero: {velocities[index]:.15f}"
    )


def _bad_point(message: Message) -> str | None:
    joints = len(message.joint_names)
    previous_ns = 0
    for index, point in enumerate(message.points):
        if index > 0 and point.time_ns <= previous_ns:
            return (
                f"time between points {index - 1} and {index} is not strictly increasing, it is "
                f"{previous_ns / NANOSECONDS:f} and {point.time_ns / NANOSECONDS:f} respectively"
            )
        previous_ns = point.time_ns
        for name in ("positions", "velocities", "accelerations"):
            values = getattr(point, name)
            if values is not None and len(values) != joints:
                return (
                    f"mismatch between joint_names size ({joints}) and {name} ({len(values)}) at "
                    f"point #{index}"
                )
    return None

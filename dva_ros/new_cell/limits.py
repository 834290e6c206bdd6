"""Limits of a joint for ``joint_limits.yaml``: the URDF's, and a careful rule for what it lacks.

With the rule a joint comes to rest from its greatest speed in 0.6 s (v / (0.5 a) + a / j).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import UserError
from ..robot.description import DescribedJoint

START_SPEED = 1 / 3
"""Share of the robot's own limits on velocity and acceleration to begin with."""
SECONDS_TO_FULL_SPEED = 0.25
SECONDS_TO_FULL_ACCELERATION = 0.1
CORRECTION_S, TRACKING_S = 0.5, 0.4
"""Thresholds of an arm's joint: what it covers in this time at its greatest speed ..."""
MOST_CORRECTION_RAD, MOST_TRACKING_RAD = 0.5, 0.4
"""... and no more than the simulated cell's."""
GRIPPER_TRACKING = 1.2
"""Of a gripper's range: one that holds something is never where it is commanded to be."""
_LIMITS = ("position", "velocity", "acceleration", "jerk")


@dataclass(frozen=True)
class Value:
    """A value and where it comes from.

    Attributes:
        number: None where it must be filled in.
        reason: why it is this one, or why there is none.
        guessed: it is a rule's, not the robot's.
    """

    number: float | None
    reason: str
    guessed: bool = False


@dataclass(frozen=True)
class JointEntry:
    """The limits of one joint: field of ``joint_limits.yaml`` -> value."""

    name: str
    values: Mapping[str, Value]

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields that must be filled in."""
        return tuple(field for field, value in self.values.items() if value.number is None)


def read_limits(path: Path) -> dict[str, dict[str, float]]:
    """The limits of a file in the form of MoveIt's ``joint_limits.yaml``, by joint.

    Raises:
        UserError: it cannot be read, or has another form.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"joint limits {path} cannot be read: {error}") from error
    joints = content.get("joint_limits") if isinstance(content, dict) else None
    if not isinstance(joints, dict):
        raise UserError(f"{path} has no mapping 'joint_limits'")
    return {str(name): _entry(path, str(name), entry) for name, entry in joints.items()}


def _entry(path: Path, name: str, entry: Any) -> dict[str, float]:
    if not isinstance(entry, dict):
        raise UserError(f"{path}, joint '{name}': not a mapping of limits")
    found: dict[str, float] = {}
    for kind in _LIMITS:
        if entry.get(f"has_{kind}_limits"):
            ends = ("min_position", "max_position") if kind == "position" else (f"max_{kind}",)
            try:
                found |= {end: float(entry[end]) for end in ends}
            except (KeyError, TypeError, ValueError) as error:
                raise UserError(f"{path}, joint '{name}': {error} missing or no number") from error
    return found


def joint_entry(
    name: str,
    joint: DescribedJoint | None,
    given: Mapping[str, float],
    gripper: bool,
    speed: float = START_SPEED,
    measured: float | None = None,
) -> JointEntry:
    """All limits of a joint.

    Args:
        name: of the joint.
        joint: what the URDF says of it; None where it says nothing.
        given: its limits in the robot's own ``joint_limits.yaml``; they go before the URDF's.
        gripper: it is a gripper's.
        speed: share of the robot's limits on velocity and acceleration that is taken.
        measured: where it stands now; rad or m.
    """
    lower, upper = _positions(joint, given, measured)
    values = {"min_position": lower, "max_position": upper}
    full = _full(joint, given, "velocity")
    velocity = _share(full, speed)
    values["max_velocity"] = velocity
    values["max_acceleration"] = acceleration = _acceleration(joint, given, velocity, speed)
    values["max_jerk"] = _jerk(joint, given, acceleration)
    span = None
    if lower.number is not None and upper.number is not None:
        span = upper.number - lower.number
    linear = joint is not None and joint.linear
    values |= _gripper_thresholds(span) if gripper else _arm_thresholds(velocity, span, linear)
    return JointEntry(name, values)


def _positions(
    joint: DescribedJoint | None, given: Mapping[str, float], measured: float | None
) -> tuple[Value, Value]:
    if "min_position" in given:
        reason = "the robot's joint limits"
        return Value(given["min_position"], reason), Value(given["max_position"], reason)
    if joint is not None and joint.lower is not None and joint.upper is not None:
        return Value(joint.lower, "URDF"), Value(joint.upper, "URDF")
    if joint is not None and joint.kind == "continuous":
        turns = math.pi if abs(measured or 0.0) < math.pi else 2 * math.pi
        reason = "guessed: the URDF says that it turns without end; cables may say otherwise"
        return Value(-round(turns, 4), reason, True), Value(round(turns, 4), reason, True)
    reason = "the URDF has no range" if joint else "not in a URDF"
    return Value(None, reason), Value(None, reason)


def _full(joint: DescribedJoint | None, given: Mapping[str, float], kind: str) -> Value:
    """The robot's own limit."""
    if f"max_{kind}" in given:
        return Value(given[f"max_{kind}"], "the robot's joint limits")
    number = getattr(joint, kind) if joint is not None else None
    if number is not None:
        return Value(number, "URDF")
    return Value(None, f"the URDF has no {kind}" if joint else "not in a URDF")


def _share(full: Value, speed: float) -> Value:
    if full.number is None or speed == 1:
        return full
    return Value(
        _rounded(full.number * speed), f"{speed:.2f} of {full.number:g} ({full.reason})", True
    )


def _acceleration(
    joint: DescribedJoint | None, given: Mapping[str, float], velocity: Value, speed: float
) -> Value:
    full = _full(joint, given, "acceleration")
    if full.number is not None:
        return _share(full, speed)
    if velocity.number is None:
        return Value(None, "needs max_velocity")
    return Value(
        _rounded(velocity.number / SECONDS_TO_FULL_SPEED),
        f"guessed: full speed in {SECONDS_TO_FULL_SPEED} s",
        True,
    )


def _jerk(joint: DescribedJoint | None, given: Mapping[str, float], acceleration: Value) -> Value:
    full = _full(joint, given, "jerk")
    if acceleration.number is None:
        return full if full.number is not None else Value(None, "needs max_acceleration")
    rule = acceleration.number / SECONDS_TO_FULL_ACCELERATION
    if full.number is not None and full.number <= rule:
        return full
    return Value(
        _rounded(rule), f"guessed: full acceleration in {SECONDS_TO_FULL_ACCELERATION} s", True
    )


def _gripper_thresholds(span: float | None) -> dict[str, Value]:
    if span is None:
        return dict.fromkeys(("correction", "jump", "tracking"), Value(None, "needs the range"))
    whole = Value(_rounded(span), "gripper: its whole range", True)
    tracking = Value(
        _rounded(GRIPPER_TRACKING * span), "gripper: never reached when it holds something", True
    )
    return {"correction": whole, "jump": whole, "tracking": tracking}


def _arm_thresholds(velocity: Value, span: float | None, linear: bool) -> dict[str, Value]:
    if velocity.number is None:
        return dict.fromkeys(("correction", "jump", "tracking"), Value(None, "needs max_velocity"))
    found: dict[str, Value] = {}
    for fields, seconds, most in (
        (("correction", "jump"), CORRECTION_S, MOST_CORRECTION_RAD),
        (("tracking",), TRACKING_S, MOST_TRACKING_RAD),
    ):
        cap = (span or math.inf) if linear else most
        number = min(cap, velocity.number * seconds)
        value = Value(
            _rounded(number), f"guessed: {seconds} s at max_velocity, {cap:g} at most", True
        )
        found |= dict.fromkeys(fields, value)
    return found


def _rounded(number: float) -> float:
    """Three digits, downwards: never above what it comes from."""
    if number <= 0:
        return number
    digits = 2 - math.floor(math.log10(number))
    scale = 10.0**digits
    return math.floor(number * scale + 1e-9) / scale

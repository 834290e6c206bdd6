"""Motion limits of every joint, read from ``config/joint_limits.yaml``.

The names are those of ROS 2's ``joint_limits``, so that a robot's own file (MoveIt's, say) serves
once it holds our three thresholds, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..errors import UserError

_KINDS = ("velocity", "acceleration", "jerk")
_THRESHOLDS = ("correction", "jump", "tracking")
_SECONDS_TO_FULL_ACCELERATION = 0.05
"""Without a limit on jerk: the time in which acceleration may rise from 0 to its limit."""


@dataclass(frozen=True)
class JointLimits:
    """Limits of J joints, all float64 [J]; rad and seconds, m for grippers.

    Attributes:
        joint_names: order of the vectors.
        lower: least position.
        upper: greatest position.
        velocity: greatest speed.
        acceleration: greatest acceleration.
        jerk: greatest change of acceleration per second.
        correction: greatest distance that smoothing may put between a target and the motion.
        jump: greatest disagreement between a chunk and the executing motion where they meet.
        tracking: greatest distance of a joint from where it is commanded to be.
    """

    joint_names: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    velocity: np.ndarray
    acceleration: np.ndarray
    jerk: np.ndarray
    correction: np.ndarray
    jump: np.ndarray
    tracking: np.ndarray

    @property
    def num_joints(self) -> int:
        """J."""
        return len(self.joint_names)

    def including(self, positions: np.ndarray) -> JointLimits:
        """The same limits with ranges that include the given positions [J]."""
        return replace(
            self,
            lower=np.minimum(self.lower, positions),
            upper=np.maximum(self.upper, positions),
        )

    @staticmethod
    def load(path: str | Path, joint_names: Sequence[str]) -> JointLimits:
        """Read the limits of the named joints, in their order.

        Raises:
            UserError: the file cannot be read, a joint is missing, or a value makes no sense.
        """
        try:
            content = yaml.safe_load(Path(path).read_text())
        except (OSError, yaml.YAMLError) as error:
            raise UserError(f"cannot read joint limits from {path}: {error}") from error
        if not isinstance(content, dict) or not isinstance(content.get("joint_limits"), dict):
            raise UserError(f"{path} has no mapping 'joint_limits'")
        entries: dict[str, Any] = {}
        for name, entry in content["joint_limits"].items():
            for prefix in content.get("prefixes", [""]):
                entries[f"{prefix}{name}"] = entry
        rows = [_entry(entries, name, path) for name in joint_names]
        columns = np.array(rows, dtype=np.float64).reshape(len(rows), 8).T
        return JointLimits(tuple(joint_names), *columns)


def _entry(entries: dict[str, Any], name: str, path: str | Path) -> list[float]:
    if not isinstance(entries.get(name), dict):
        raise UserError(f"{path} has no limits for joint '{name}'")
    entry: dict[str, Any] = dict(entries[name])

    def value(field: str) -> float:
        try:
            return float(entry[field])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"{path}, joint '{name}': {field} is missing or no number ({error})"
            ) from error

    if not entry.get("has_jerk_limits", False):
        entry["max_jerk"] = value("max_acceleration") / _SECONDS_TO_FULL_ACCELERATION
        entry["has_jerk_limits"] = True
    for kind in ("position", *_KINDS):
        if not entry.get(f"has_{kind}_limits", False):
            raise UserError(
                f"{path}, joint '{name}': has_{kind}_limits must be true; nothing is sent to a "
                "joint without limits"
            )
    lower, upper = value("min_position"), value("max_position")
    others = {f"max_{kind}": value(f"max_{kind}") for kind in _KINDS}
    others |= {field: value(field) for field in _THRESHOLDS}
    positive = all(0 < other < np.inf for other in others.values())
    if not (np.isfinite([lower, upper]).all() and lower < upper and positive):
        raise UserError(
            f"{path}, joint '{name}': min_position must be less than max_position and every "
            f"other limit greater than 0, got position {lower} .. {upper}, "
            + ", ".join(f"{field} {other}" for field, other in others.items())
        )
    return [lower, upper, *others.values()]

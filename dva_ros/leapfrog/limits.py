"""Motion limits of every joint, read from ``config/joint_limits.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..errors import UserError

_FIELDS = ("velocity", "acceleration", "correction", "jump")


@dataclass(frozen=True)
class JointLimits:
    """Limits of J joints, all float64 [J]; rad and seconds, m for grippers.

    Attributes:
        joint_names: order of the vectors.
        lower: least position.
        upper: greatest position.
        velocity: greatest speed.
        acceleration: greatest acceleration.
        correction: greatest distance that smoothing may put between a target and the motion.
        jump: greatest disagreement between a chunk and the executing motion where they meet.
    """

    joint_names: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    velocity: np.ndarray
    acceleration: np.ndarray
    correction: np.ndarray
    jump: np.ndarray

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
        columns = np.array(rows, dtype=np.float64).reshape(len(rows), 2 + len(_FIELDS)).T
        return JointLimits(tuple(joint_names), *columns)


def _entry(entries: dict[str, Any], name: str, path: str | Path) -> list[float]:
    entry = entries.get(name)
    if not isinstance(entry, dict):
        raise UserError(f"{path} has no limits for joint '{name}'")
    try:
        lower, upper = (float(x) for x in entry["position"])
        others = [float(entry[field]) for field in _FIELDS]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}, joint '{name}': missing or bad value ({error})") from error
    if not (np.isfinite([lower, upper, *others]).all() and lower < upper and min(others) > 0):
        raise UserError(
            f"{path}, joint '{name}': position must be [least, greatest] and every other limit "
            f"greater than 0, got position [{lower}, {upper}], "
            + ", ".join(f"{field} {value}" for field, value in zip(_FIELDS, others, strict=True))
        )
    return [lower, upper, *others]

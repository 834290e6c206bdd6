"""Scales that turn joint vectors into numbers of order one and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..spec import CellSpec

ARM_FLOOR = 0.05
GRIPPER_FLOOR = 0.005


@dataclass(frozen=True)
class JointStatistics:
    """Per-joint mean and scale of the state and of the targets' offset from it.

    Attributes:
        state_mean: float32 [J], rad (m for grippers).
        state_scale: float32 [J], positive.
        offset_scale: float32 [J], positive; offsets have mean 0 by definition, so that a network
            that says nothing holds still.
    """

    state_mean: np.ndarray
    state_scale: np.ndarray
    offset_scale: np.ndarray

    @staticmethod
    def measure(state: np.ndarray, offset: np.ndarray, spec: CellSpec) -> JointStatistics:
        """From states float32 [N, J] and offsets float32 [..., J] of the training data.

        A joint that hardly moved in the data gets the floor of 0.05 rad (0.005 m), so that its
        noise is not blown up.
        """
        floor = np.where(spec.is_gripper, GRIPPER_FLOOR, ARM_FLOOR).astype(np.float32)
        flat = offset.reshape(-1, spec.num_joints).astype(np.float64)
        return JointStatistics(
            state_mean=state.mean(0, dtype=np.float64).astype(np.float32),
            state_scale=np.maximum(state.std(0, dtype=np.float64).astype(np.float32), floor),
            offset_scale=np.maximum(np.sqrt((flat**2).mean(0)).astype(np.float32), floor),
        )

    def to_dict(self) -> dict[str, list[float]]:
        """Plain types only, for YAML."""
        return {name: [float(v) for v in getattr(self, name)] for name in self._names()}

    @staticmethod
    def from_dict(values: Mapping[str, Any], spec: CellSpec) -> JointStatistics:
        """Inverse of `to_dict`; raises ValueError naming a field that is absent or malformed."""
        arrays = {}
        for name in JointStatistics._names():
            if name not in values:
                raise ValueError(f"statistics.{name} is missing")
            arrays[name] = np.asarray(values[name], dtype=np.float32)
            if arrays[name].shape != (spec.num_joints,) or not np.isfinite(arrays[name]).all():
                raise ValueError(f"statistics.{name} must be {spec.num_joints} finite numbers")
            if name.endswith("_scale") and (arrays[name] <= 0).any():
                raise ValueError(f"statistics.{name} must be positive")
        return JointStatistics(**arrays)

    @staticmethod
    def _names() -> tuple[str, ...]:
        return ("state_mean", "state_scale", "offset_scale")

"""How far decoded commands are from the ones that were really sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..spec import CellSpec
from .end_effector import end_effectors, gripper_columns

MOVING_M = 0.005
"""An arm counts as moving where its end effector's command travels this far within the clip."""


@dataclass(frozen=True)
class IdmAccuracy:
    """Errors over all targets of some windows.

    Attributes:
        windows: number of windows.
        joint_mae_rad: mean absolute error of the arm joints, rad.
        gripper_mae_mm: mean absolute error of the grippers, mm.
        effector_median_mm: median end-effector distance over moving arms, mm.
        effector_p90_mm: 90th percentile of the same, mm.
        effector_all_median_mm: median with resting arms included, mm.
        hold_median_mm: median over moving arms if the commands held the measured state, mm.
    """

    windows: int
    joint_mae_rad: float
    gripper_mae_mm: float
    effector_median_mm: float
    effector_p90_mm: float
    effector_all_median_mm: float
    hold_median_mm: float

    @staticmethod
    def measure(
        predicted: np.ndarray, command: np.ndarray, state: np.ndarray, spec: CellSpec
    ) -> IdmAccuracy:
        """Compare decoded commands [B, H, J] with true ones, given the states [B, J] at n."""
        error = np.abs(predicted - command)
        grippers = gripper_columns(spec)
        arms = np.setdiff1d(np.arange(spec.num_joints), grippers)
        truth = end_effectors(command, spec)
        start = end_effectors(state, spec)[:, None]
        distance = 1000 * np.linalg.norm(end_effectors(predicted, spec) - truth, axis=-1)
        hold = 1000 * np.linalg.norm(start - truth, axis=-1)
        travel = np.linalg.norm(truth - start, axis=-1).max(axis=1)
        moving = np.broadcast_to((travel > MOVING_M)[:, None], distance.shape)
        if not moving.any():
            moving = np.ones_like(moving)
        return IdmAccuracy(
            windows=len(predicted),
            joint_mae_rad=float(error[..., arms].mean()),
            gripper_mae_mm=float(1000 * error[..., grippers].mean()),
            effector_median_mm=float(np.median(distance[moving])),
            effector_p90_mm=float(np.percentile(distance[moving], 90)),
            effector_all_median_mm=float(np.median(distance)),
            hold_median_mm=float(np.median(hold[moving])),
        )

    def to_dict(self) -> dict[str, float]:
        """Plain types only."""
        return asdict(self)

"""How far decoded commands are from the ones that were really sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..spec import CellSpec
from .end_effector import EndEffectors

MOVING_M = 0.005
"""An arm counts as moving where its end effector's command travels this far within the clip."""


@dataclass(frozen=True)
class EffectorErrors:
    """Distances between decoded and true end effectors, mm.

    Attributes:
        median_mm: over moving arms.
        p90_mm: 90th percentile of the same.
        all_median_mm: median with resting arms included.
        hold_median_mm: median over moving arms if the commands held the measured state.
    """

    median_mm: float
    p90_mm: float
    all_median_mm: float
    hold_median_mm: float

    @staticmethod
    def measure(
        predicted: np.ndarray, command: np.ndarray, state: np.ndarray, effectors: EndEffectors
    ) -> EffectorErrors:
        """See `IdmAccuracy.measure`."""
        truth = effectors.positions(command)
        start = effectors.positions(state)[:, None]
        distance = 1000 * np.linalg.norm(effectors.positions(predicted) - truth, axis=-1)
        hold = 1000 * np.linalg.norm(start - truth, axis=-1)
        travel = np.linalg.norm(truth - start, axis=-1).max(axis=1)
        moving = np.broadcast_to((travel > MOVING_M)[:, None], distance.shape)
        if not moving.any():
            moving = np.ones_like(moving)
        return EffectorErrors(
            median_mm=float(np.median(distance[moving])),
            p90_mm=float(np.percentile(distance[moving], 90)),
            all_median_mm=float(np.median(distance)),
            hold_median_mm=float(np.median(hold[moving])),
        )


@dataclass(frozen=True)
class IdmAccuracy:
    """Errors over all targets of some windows.

    Attributes:
        windows: number of windows.
        joint_mae_rad: mean absolute error of the arm joints, rad.
        joint_hold_mae_rad: the same if the commands held the measured state, rad.
        gripper_mae_mm: mean absolute error of the grippers, mm; None without grippers.
        effector: errors of the end effectors; None where no description of the robot is known.
    """

    windows: int
    joint_mae_rad: float
    joint_hold_mae_rad: float
    gripper_mae_mm: float | None
    effector: EffectorErrors | None

    @staticmethod
    def measure(
        predicted: np.ndarray,
        command: np.ndarray,
        state: np.ndarray,
        spec: CellSpec,
        effectors: EndEffectors | None,
    ) -> IdmAccuracy:
        """Compare decoded commands [B, H, J] with true ones, given the states [B, J] at n."""
        error, hold = np.abs(predicted - command), np.abs(state[:, None] - command)
        grippers = spec.is_gripper
        return IdmAccuracy(
            windows=len(predicted),
            joint_mae_rad=float(error[..., ~grippers].mean()),
            joint_hold_mae_rad=float(hold[..., ~grippers].mean()),
            gripper_mae_mm=float(1000 * error[..., grippers].mean()) if grippers.any() else None,
            effector=EffectorErrors.measure(predicted, command, state, effectors)
            if effectors is not None
            else None,
        )

    @property
    def headline(self) -> str:
        """The error that matters most, in words."""
        if self.effector is not None:
            return f"end effector {self.effector.median_mm:.1f} mm"
        return f"joints {self.joint_mae_rad:.4f} rad"

    def to_dict(self) -> dict[str, float | None]:
        """Plain types only; the fields of `effector` begin with ``effector_``."""
        values = asdict(self)
        errors = values.pop("effector") or {}
        return {**values, **{f"effector_{name}": value for name, value in errors.items()}}

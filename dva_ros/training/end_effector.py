"""Where commands put the end effectors, and how the positions change with the joints."""

from __future__ import annotations

import numpy as np

from ..cell.kinematics import forward_kinematics
from ..spec import ARM_JOINTS, SIDES, CellSpec

JACOBIAN_STEP_RAD = 1e-4


def arm_columns(spec: CellSpec) -> dict[str, np.ndarray]:
    """Columns of each side's six arm joints in a joint vector."""
    return {
        side: np.array([spec.joint_names.index(f"{side}_{joint}") for joint in ARM_JOINTS])
        for side in SIDES
    }


def gripper_columns(spec: CellSpec) -> np.ndarray:
    """Columns of the grippers, left first."""
    return np.array([spec.joint_names.index(f"{side}_gripper") for side in SIDES])


def end_effectors(joints: np.ndarray, spec: CellSpec) -> np.ndarray:
    """Grasp points float64 [..., 2, 3] in m, left first, of joint vectors [..., J]."""
    return np.stack(
        [forward_kinematics(side, joints[..., c])[0] for side, c in arm_columns(spec).items()],
        axis=-2,
    )


def position_jacobians(joints: np.ndarray, spec: CellSpec) -> np.ndarray:
    """Change of both grasp points with every joint: float32 [..., 6, J], m per rad.

    Rows are the left point's x, y, z, then the right one's. Gripper columns are zero.
    """
    jacobian = np.zeros((*joints.shape[:-1], 6, spec.num_joints), dtype=np.float32)
    for row, (side, columns) in enumerate(arm_columns(spec).items()):
        q = joints[..., columns].astype(np.float64)
        # One call for the pose and its six neighbours.
        moved = q[..., None, :] + JACOBIAN_STEP_RAD * np.eye(7, 6, k=-1)
        points = forward_kinematics(side, moved)[0]
        slope = (points[..., 1:, :] - points[..., :1, :]) / JACOBIAN_STEP_RAD
        jacobian[..., 3 * row : 3 * row + 3, columns] = np.swapaxes(slope, -1, -2)
    return jacobian

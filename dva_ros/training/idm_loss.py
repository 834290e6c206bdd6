"""The training loss of inverse dynamics: joints, and what their errors do to the grasp point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..inverse_dynamics.statistics import JointStatistics
from ..spec import CellSpec
from .end_effector import position_jacobians
from .idm_data import Windows

EFFECTOR_SCALE_M = 0.03


@dataclass(frozen=True)
class IdmTargets:
    """What the network's output is compared with.

    Attributes:
        offset: normalised offsets float32 [B, H, J].
        jacobian: change of both grasp points with the normalised offsets, in units of 3 cm:
            float32 [B, H, 6, J].
    """

    offset: Tensor
    jacobian: Tensor

    def to(self, device: torch.device) -> IdmTargets:
        """The same on a device."""
        return IdmTargets(self.offset.to(device), self.jacobian.to(device))

    @staticmethod
    def of(windows: Windows, statistics: JointStatistics, spec: CellSpec) -> IdmTargets:
        """Targets of a batch; the Jacobians are those at the true commands."""
        scale = statistics.offset_scale
        jacobian = position_jacobians(windows.command, spec) * (scale / EFFECTOR_SCALE_M)
        return IdmTargets(
            offset=torch.from_numpy((windows.offset / scale).astype(np.float32)),
            jacobian=torch.from_numpy(jacobian.astype(np.float32)),
        )


def idm_loss(predicted: Tensor, targets: IdmTargets) -> Tensor:
    """Huber loss of the normalised offsets plus Huber loss of the grasp points.

    The grasp points' errors are linear in the joints' errors here, so that several joints that
    are each a little wrong in ways that cancel cost little: pixels tell where the gripper is
    better than how the joints share the way there.
    """
    error = predicted - targets.offset
    displaced = (targets.jacobian @ error[..., None])[..., 0]
    return F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.5) + F.smooth_l1_loss(
        displaced, torch.zeros_like(displaced), beta=0.5
    )

"""The training loss of inverse dynamics: joints, and what their errors do to the
end effectors, where the robot is described."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..inverse_dynamics.statistics import JointStatistics
from .end_effector import EndEffectors
from .idm_data import Windows

EFFECTOR_SCALE_M = 0.03


@dataclass(frozen=True)
class IdmTargets:
    """What the network's output is compared with.

    Attributes:
        offset: normalised offsets float32 [B, H, J].
        jacobian: change of the E end effectors with the normalised offsets, in units of 3 cm:
            float32 [B, H, 3 E, J]; None where no description of the robot is known.
    """

    offset: Tensor
    jacobian: Tensor | None

    def to(self, device: torch.device) -> IdmTargets:
        """The same on a device."""
        jacobian = self.jacobian.to(device) if self.jacobian is not None else None
        return IdmTargets(self.offset.to(device), jacobian)

    @staticmethod
    def of(
        windows: Windows, statistics: JointStatistics, effectors: EndEffectors | None
    ) -> IdmTargets:
        """Targets of a batch; the Jacobians are those at the true commands."""
        scale = statistics.offset_scale
        offset = torch.from_numpy((windows.offset / scale).astype(np.float32))
        if effectors is None:
            return IdmTargets(offset, None)
        jacobian = effectors.jacobians(windows.command) * (scale / EFFECTOR_SCALE_M)
        return IdmTargets(offset, torch.from_numpy(jacobian.astype(np.float32)))


def idm_loss(predicted: Tensor, targets: IdmTargets) -> Tensor:
    """Huber loss of the normalised offsets plus Huber loss of the end effectors.

    The end effectors' errors are linear in the joints' errors here, so that several joints that
    are each a little wrong in ways that cancel cost little: pixels tell where the gripper is
    better than how the joints share the way there.
    """
    error = predicted - targets.offset
    loss = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.5)
    if targets.jacobian is None:
        return loss
    displaced = (targets.jacobian @ error[..., None])[..., 0]
    return loss + F.smooth_l1_loss(displaced, torch.zeros_like(displaced), beta=0.5)

"""An auxiliary task of training: read the coming motion from a clip's proprioception slot.

A centimetre beside the cube is a miss, and hardly a pixel: the squared error of the image alone
is slow to teach such precision. The readout is no part of the checkpoint.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dva_ros.video.config import VideoModelConfig
from dva_ros.video.layers import Norm

ARM_SCALE_RAD = 0.1
GRIPPER_SCALE_M = 0.01
_BETA = 0.1


class MotionReadout(nn.Module):
    """Joint commands of a clip's frames, relative to the joints measured before it."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        self.norm = Norm(config.width)
        self.out = nn.Linear(config.width, config.spec.num_joints)
        is_gripper = torch.from_numpy(config.spec.is_gripper)
        scale = torch.where(is_gripper, GRIPPER_SCALE_M, ARM_SCALE_RAD)
        self.unit = torch.tensor(config.state_std) / scale
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Clip tokens [B, C, H, slots, width] -> [B, C, H, J], in 0.1 rad and 0.01 m."""
        return self.out(self.norm(tokens[..., -1, :]))

    def loss(self, tokens: Tensor, committed: Tensor, state: Tensor, weight: Tensor) -> Tensor:
        """Mean absolute error, smooth near zero.

        Args:
            tokens: of the clips, [B, C, H, slots, width].
            committed: normalised commands of their frames [B, C, H, J].
            state: normalised joints measured before each clip [B, C, J].
            weight: of each frame [B, C, H], float32.
        """
        target = (committed - state[..., None, :]).float() * self.unit.to(tokens.device)
        error = F.smooth_l1_loss(self(tokens).float(), target, reduction="none", beta=_BETA)
        return (error.mean(-1) * weight).sum()

"""Untrained checkpoints of the simulated cell's spec, small enough to answer at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from dva_ros.inverse_dynamics.checkpoint import save_checkpoint as save_inverse_dynamics
from dva_ros.inverse_dynamics.config import InverseDynamicsConfig
from dva_ros.inverse_dynamics.model import InverseDynamicsNet
from dva_ros.inverse_dynamics.statistics import JointStatistics
from dva_ros.spec import EMBEDDED_CELL, CellSpec
from dva_ros.video.checkpoint import save_checkpoint as save_video
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.model import VideoModel

OFFSET_SCALE = 0.002


def write_tiny_models(
    folder: Path, spec: CellSpec = EMBEDDED_CELL, ahead: dict[str, float] | None = None
) -> Path:
    """Write ``video`` and ``inverse_dynamics`` into a folder; gives the folder.

    With `ahead` the targets are always the measured position plus so much for these joints, else
    they are random but near to it.
    """
    torch.manual_seed(0)
    joints = spec.num_joints
    video = VideoModelConfig(
        spec,
        (0.0,) * joints,
        (1.0,) * joints,
        width=32,
        depth=1,
        heads=2,
        context_frames=16,
        num_steps=1,
    )
    save_video(folder / "video", video, dict(VideoModel(video).named_parameters()))
    config = InverseDynamicsConfig(
        spec, channels=(8, 16, 16), map_channels=4, keypoints=8, width=32, depth=1, heads=2
    )
    statistics = JointStatistics(
        np.zeros(joints, np.float32),
        np.ones(joints, np.float32),
        np.full(joints, OFFSET_SCALE, np.float32),
    )
    net = InverseDynamicsNet(config)
    with torch.no_grad():
        for parameter in net.parameters() if ahead is None else ():
            parameter.add_(torch.randn_like(parameter) * 0.05)
        for name, offset in (ahead or {}).items():
            net.head.bias[spec.joint_names.index(name)] = offset / OFFSET_SCALE
    save_inverse_dynamics(
        folder / "inverse_dynamics", config, statistics, dict(net.state_dict()), "untrained"
    )
    return folder

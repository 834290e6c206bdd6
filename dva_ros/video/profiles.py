"""Architectures by name, for which no checkpoint is shipped: shape and speed only."""

from __future__ import annotations

from dva_ros.errors import UserError
from dva_ros.spec import EMBEDDED_CELL, CameraSpec, CellSpec

from .config import VideoModelConfig

PROFILES = ("default", "gpu", "large")
"""`default`: what configurations have by default. `gpu`: about 15M parameters, 64 tokens a frame,
256 frames of context, for one workstation GPU. `large`: about 1B parameters, three cameras of 64
patches each, 256 frames of context, clips of 16, for one GPU of 80 GB."""


def profile_config(name: str) -> VideoModelConfig:
    """The architecture of a profile, for the joints of the simulated cell.

    Raises:
        UserError: no such profile.
    """
    joints = EMBEDDED_CELL.joint_names
    mean, std = (0.0,) * len(joints), (1.0,) * len(joints)
    if name == "default":
        return VideoModelConfig(EMBEDDED_CELL, mean, std)
    if name == "gpu":
        cameras = (CameraSpec("overhead", 64, 144), CameraSpec("front", 48, 144))
        return VideoModelConfig(
            CellSpec(cameras, joints),
            mean,
            std,
            patch_margin=8,
            stem_width=32,
            width=384,
            depth=5,
            heads=6,
            context_frames=256,
            num_steps=4,
        )
    if name == "large":
        names = ("overhead", "left_wrist", "right_wrist")
        return VideoModelConfig(
            CellSpec(tuple(CameraSpec(camera, 128, 128) for camera in names), joints),
            mean,
            std,
            patch_margin=8,
            stem_width=64,
            width=1536,
            depth=26,
            heads=24,
            horizon=16,
            max_committed=8,
            typical_committed=6,
            context_frames=256,
            num_steps=8,
        )
    raise UserError(f"no profile {name}; there are {', '.join(PROFILES)}")

"""Architectures by name, for which no checkpoint is shipped: shape and speed only."""

from __future__ import annotations

from dva_ros.errors import UserError
from dva_ros.spec import EMBEDDED_CELL, CameraSpec, CellSpec

from .config import VideoModelConfig

PROFILES = ("default", "gpu", "large")
"""`default`: what configurations have by default. `gpu`: about 15M parameters, 64 tokens a frame,
256 frames of context, for one workstation GPU. `large`: about 1B parameters, three cameras of 64
patches each, 256 frames of context, clips of 16, for one GPU of 80 GB."""


def untrained_config(cameras: tuple[CameraSpec, ...], **shape: int) -> VideoModelConfig:
    """An architecture for these cameras and the joints of the simulated cell.

    Args:
        cameras: in stacking order.
        shape: fields of `VideoModelConfig` that differ from its defaults.
    """
    joints = EMBEDDED_CELL.joint_names
    mean, std = (0.0,) * len(joints), (1.0,) * len(joints)
    return VideoModelConfig(CellSpec(cameras, joints), mean, std, **shape)


def profile_config(name: str) -> VideoModelConfig:
    """The architecture of a profile.

    Raises:
        UserError: no such profile.
    """
    if name == "default":
        return untrained_config(EMBEDDED_CELL.cameras)
    if name == "gpu":
        return untrained_config(
            (CameraSpec("overhead", 64, 144), CameraSpec("front", 48, 144)),
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
        return untrained_config(
            tuple(CameraSpec(camera, 128, 128) for camera in names),
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


def peers_config() -> VideoModelConfig:
    """The shape at which the peers' dense models were measured: width 384, depth 8, 64 tokens a
    frame, clips of 4 frames."""
    return untrained_config(
        (CameraSpec("front", 112, 144),),
        width=384,
        depth=8,
        heads=6,
        horizon=4,
        max_committed=2,
        typical_committed=1,
    )

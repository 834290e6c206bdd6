"""What every part of the system must agree on: cameras, joints and the time grid.

A checkpoint stores the spec that it was trained for; `CellSpec.require_equal` names the first
field in which a cell's configuration differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from .errors import UserError

ARM_JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
SIDES = ("left", "right")
GRIPPERS_BY_NAME = ("*gripper",)
"""The default of `CellSpec.gripper_joints`."""


class SpecMismatchError(UserError):
    """A checkpoint or dataset was made for another cell; the message names the field."""


@dataclass(frozen=True)
class CameraSpec:
    """One camera as the model sees it, after resizing.

    Attributes:
        name: camera name; its topic is ``<name>/image_raw``.
        height: rows in pixels.
        width: columns in pixels.
    """

    name: str
    height: int
    width: int


@dataclass(frozen=True)
class CellSpec:
    """Cameras, joints and grid period of a cell.

    The images of all cameras, stacked from top to bottom in the order of `cameras`, form the
    *tiled observation*: one uint8 RGB array [mosaic_height, mosaic_width, 3]. All cameras
    therefore have the same width.

    Attributes:
        cameras: in stacking order.
        joint_names: order of every state, command and action vector. Arm joints in rad,
            gripper joints in m (travel of one finger; 0 is closed).
        frame_period_s: period of the time grid in seconds.
        gripper_joints: which of them are gripper joints, in the same order. May be given as
            patterns, in which ``*`` stands for any text, and ("",) for none. A gripper that
            turns (rad) is an arm joint here.
    """

    cameras: tuple[CameraSpec, ...]
    joint_names: tuple[str, ...]
    frame_period_s: float = 0.1
    gripper_joints: tuple[str, ...] = GRIPPERS_BY_NAME

    def __post_init__(self) -> None:
        if len({camera.width for camera in self.cameras}) != 1:
            raise ValueError(
                "all cameras must have one width to be stacked into the tiled observation, got "
                + ", ".join(f"{c.name}: {c.width}" for c in self.cameras)
            )
        if len(set(self.joint_names)) != len(self.joint_names):
            raise ValueError(f"joint names repeat: {self.joint_names}")
        if self.frame_period_s <= 0:
            raise ValueError(f"frame_period_s must be positive, got {self.frame_period_s}")
        grippers = matching_joints(self.gripper_joints, self.joint_names)
        object.__setattr__(self, "gripper_joints", grippers)

    @property
    def mosaic_height(self) -> int:
        """Rows of the tiled observation in pixels."""
        return sum(camera.height for camera in self.cameras)

    @property
    def mosaic_width(self) -> int:
        """Columns of the tiled observation in pixels."""
        return self.cameras[0].width

    @property
    def num_joints(self) -> int:
        """Length of every state, command and action vector."""
        return len(self.joint_names)

    @property
    def is_gripper(self) -> np.ndarray:
        """bool [J], True for gripper joints."""
        return np.array([name in self.gripper_joints for name in self.joint_names], dtype=bool)

    def slowed(self, time_scaling: float) -> CellSpec:
        """The same cell on a slower grid: what a model imagines for `frame_period_s` is played in
        ``frame_period_s / time_scaling``, and so long lies between the frames that it is shown.

        Raises:
            ValueError: not within 0 (excluded) and 1.
        """
        if not 0.0 < time_scaling <= 1.0:
            raise ValueError(f"time_scaling must be greater than 0, 1 at most, got {time_scaling}")
        return replace(self, frame_period_s=self.frame_period_s / time_scaling)

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, for YAML."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> CellSpec:
        """Inverse of `to_dict`; older ones say no `gripper_joints`."""
        return CellSpec(
            cameras=tuple(CameraSpec(**camera) for camera in values["cameras"]),
            joint_names=tuple(values["joint_names"]),
            frame_period_s=float(values["frame_period_s"]),
            gripper_joints=tuple(values.get("gripper_joints", GRIPPERS_BY_NAME)),
        )

    def require_equal(self, other: CellSpec, mine: str, theirs: str) -> None:
        """Raise `SpecMismatchError` naming the first field that differs."""
        for field in ("cameras", "joint_names", "frame_period_s", "gripper_joints"):
            a, b = getattr(self, field), getattr(other, field)
            if a != b:
                raise SpecMismatchError(f"{field} differ: {mine} has {a}, {theirs} has {b}")


def matching_joints(patterns: Sequence[str], joint_names: Sequence[str]) -> tuple[str, ...]:
    """The joints that fit one of the patterns, in the joints' order; "" fits none.

    Raises:
        ValueError: a name without ``*`` is no joint.
    """
    exact = [name for name in patterns if name and "*" not in name]
    unknown = [name for name in exact if name not in joint_names]
    if unknown:
        raise ValueError(f"gripper_joints: there is no joint {', '.join(unknown)}")
    return tuple(
        name for name in joint_names if any(fnmatchcase(name, pattern) for pattern in patterns)
    )


EMBEDDED_CELL = CellSpec(
    cameras=(CameraSpec("overhead", 48, 64), CameraSpec("front", 32, 64)),
    joint_names=tuple(f"{side}_{joint}" for side in SIDES for joint in (*ARM_JOINTS, "gripper")),
    frame_period_s=0.1,
)
"""The simulated MuJoCo cell: 14 joints, a tiled observation of 80x64 pixels, 10 Hz."""

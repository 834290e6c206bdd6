"""A third robot, small enough to train on in a test: two 7-joint arms, three cameras, 5 Hz.

A gripper whose name does not say so, one that turns, and a wrist that turns without end.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from dva_ros.data.episodes import Episode
from dva_ros.data.lerobot_writer import assemble
from dva_ros.data.shards import write_shard
from dva_ros.spec import CameraSpec, CellSpec

SIDES = ("north", "south")
ARMS = tuple(tuple(f"{side}_axis_{n}" for n in range(1, 8)) for side in SIDES)
FINGER, CLAW = "north_slide", "south_gripper"
SPEC = CellSpec(
    cameras=(
        CameraSpec("ceiling", 32, 64),
        CameraSpec("north_wrist", 32, 64),
        CameraSpec("south_wrist", 16, 64),
    ),
    joint_names=(*ARMS[0], FINGER, *ARMS[1], CLAW),
    frame_period_s=0.2,
    gripper_joints=(FINGER,),
)
TIPS = ("north_tool0", "south_link_7")
"""One arm has a flange with a telling name, and a camera beside it; the other has none."""


def urdf() -> str:
    """Each link is 0.1 m beyond the last; axes take turns."""
    parts = ['<robot name="tray"><link name="world"/>']
    for side in SIDES:
        parent = "world"
        for n in range(1, 8):
            child = f"{side}_link_{n}"
            axis = "0 0 1" if n % 2 else "0 1 0"
            kind = "continuous" if n == 7 else "revolute"
            parts.append(f'<link name="{child}"/>')
            parts.append(_joint(f"{side}_axis_{n}", kind, parent, child, axis))
            parent = child
        for link in (f"{side}_camera",) + ((TIPS[0],) if side == "north" else ()):
            parts.append(f'<link name="{link}"/>')
            parts.append(_joint(f"{link}_mount", "fixed", parent, link))
        gripper = FINGER if side == "north" else CLAW
        kind = "prismatic" if side == "north" else "revolute"
        parts.append(f'<link name="{gripper}_link"/>')
        parts.append(_joint(gripper, kind, parent, f"{gripper}_link", "0 1 0"))
    return "".join((*parts, "</robot>"))


def _joint(name: str, kind: str, parent: str, child: str, axis: str = "") -> str:
    more = f'<axis xyz="{axis}"/><limit lower="-3" upper="3" effort="9" velocity="2"/>'
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="0.1 0 0"/>{more if axis else ""}</joint>'
    )


def parameters_file(path: Path, period_s: float = SPEC.frame_period_s) -> Path:
    """What `new-cell` would have written for it, as far as recordings go."""
    sizes = [(2 * camera.height, 2 * camera.width) for camera in SPEC.cameras]
    values = {
        "cameras": [camera.name for camera in SPEC.cameras],
        "mosaic_heights": [camera.height for camera in SPEC.cameras],
        "mosaic_width": SPEC.mosaic_width,
        "native_heights": [height for height, _ in sizes],
        "native_widths": [width for _, width in sizes],
        "joints": list(SPEC.joint_names),
        "frame_period_s": period_s,
        "gripper_joints": list(SPEC.gripper_joints),
    }
    path.write_text(yaml.safe_dump({"/**": {"ros__parameters": values}}))
    return path


def recorded(seed: int, frames: int = 26) -> Episode:
    """Joints follow sines; a bright column follows the first of them in every camera."""
    times = np.arange(frames + 1)[:, None] * SPEC.frame_period_s
    amplitude = np.where(SPEC.is_gripper, 0.02, 0.4)
    joints = amplitude * np.sin(1.5 * times + np.arange(SPEC.num_joints) + seed)
    joints = joints.astype(np.float32)
    images = {}
    for camera in SPEC.cameras:
        height, width = 2 * camera.height, 2 * camera.width
        clip = np.full((frames, height, width, 3), 60, np.uint8)
        for frame, position in enumerate(joints[:-1, 0]):
            left = round(width / 2 + 80 * float(position))
            clip[frame, :, left : left + 8] = 220
        images[camera.name] = clip
    return Episode(
        images=images,
        state=joints[:-1],
        action=joints[1:],
        clean=np.ones(frames, dtype=bool),
        task="carry",
        instruction="carry the tray",
        seed=seed,
        success=True,
    )


def foreign_dataset(root: Path, work: Path) -> Path:
    """A LeRobot dataset of it as others make them: nothing in it says what our model sees."""
    summary = write_shard(work, 0, [recorded(seed) for seed in range(3)], 3, 3, "train", SPEC)
    assemble(root, work, [summary], SPEC)
    (root / "meta" / "cell.json").unlink()
    return root

"""Existing checkpoints: one for the same cell sets the order of cameras and joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..spec import CellSpec
from ..trained_spec import trained_spec
from .cameras import Camera

KINDS = VIDEO, INVERSE_DYNAMICS = "video", "inverse_dynamics"


@dataclass(frozen=True)
class Trained:
    """A pair of checkpoints.

    Attributes:
        root: folder of both.
        spec: the cell that both were trained for.
    """

    root: Path
    spec: CellSpec

    def folder(self, kind: str) -> Path:
        """Of "video" or "inverse_dynamics"."""
        return self.root / kind


def find_trained(folders: Sequence[Path]) -> list[Trained]:
    """The pairs below the folders that can be read and fit together."""
    found = []
    for folder in folders:
        for video in sorted(folder.rglob(VIDEO)):
            try:
                specs = [trained_spec(video.parent / kind) for kind in KINDS]
            except UserError:
                continue  # reported by doctor
            if specs[0] == specs[1]:
                found.append(Trained(video.parent, specs[0]))
    return found


def fitting(
    trained: Sequence[Trained], cameras: Sequence[Camera], joints: Sequence[str]
) -> Trained | None:
    """The first of the same cameras, in their shapes, and the same joints, in any order."""
    sizes = {camera.name: camera.size for camera in cameras}

    def fits(spec: CellSpec) -> bool:
        return (
            sorted(spec.joint_names) == sorted(joints)
            and {camera.name for camera in spec.cameras} == set(sizes)
            and all(
                0 < sizes[c.name][0] * c.width == sizes[c.name][1] * c.height for c in spec.cameras
            )
        )

    return next((one for one in trained if fits(one.spec)), None)

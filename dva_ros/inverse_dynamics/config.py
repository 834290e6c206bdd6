"""The inverse dynamics model's architecture, cell and grid; all that `config.yaml` must tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import UserError
from ..spec import EMBEDDED_CELL, CellSpec

ARCHITECTURE = "inverse_dynamics.v1"
"""Stored in every checkpoint; a checkpoint of another architecture is refused."""


class ArchitectureError(UserError):
    """A checkpoint's architecture or one of its fields is not what this version understands."""


@dataclass(frozen=True)
class InverseDynamicsConfig:
    """Sizes of the inverse dynamics network and the cell it belongs to.

    Attributes:
        spec: cameras, joints and grid period.
        horizon: frames in a clip, and targets in a chunk (H).
        num_real_frames: real frames before the clip (k), the last of which is frame n.
        channels: channels of an image encoder at 1/2, 1/4 and 1/8 of the resolution.
        map_channels: channels of the small map that is flattened into a frame's feature.
        keypoints: spatial-softmax points per camera, taken at 1/4 of the resolution.
        width: width of the temporal transformer.
        depth: layers of the temporal transformer.
        heads: attention heads of the temporal transformer.
    """

    spec: CellSpec = EMBEDDED_CELL
    horizon: int = 8
    num_real_frames: int = 2
    channels: tuple[int, int, int] = (32, 64, 96)
    map_channels: int = 24
    keypoints: int = 32
    width: int = 160
    depth: int = 3
    heads: int = 4

    def __post_init__(self) -> None:
        for name in ("horizon", "num_real_frames", "map_channels", "keypoints", "width", "depth"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if len(self.channels) != 3 or min(self.channels) < 1:
            raise ValueError(f"channels must be three positive counts, got {self.channels}")
        if self.heads < 1 or self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")
        for camera in self.spec.cameras:
            if camera.height % 8 or camera.width % 8:
                raise ValueError(
                    f"camera {camera.name}: {camera.height}x{camera.width} pixels are not "
                    "multiples of 8"
                )

    @property
    def num_frames(self) -> int:
        """Frames the network looks at: real ones, then the clip."""
        return self.num_real_frames + self.horizon

    @property
    def last_real(self) -> int:
        """Position of frame n among the frames."""
        return self.num_real_frames - 1

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, for YAML."""
        values = asdict(self)
        values["spec"] = self.spec.to_dict()
        values["channels"] = list(self.channels)
        return values

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> InverseDynamicsConfig:
        """Inverse of `to_dict`; raises `ArchitectureError` naming what is unknown or missing."""
        known = set(InverseDynamicsConfig.__dataclass_fields__)
        unknown, missing = sorted(set(values) - known), sorted(known - set(values))
        if unknown or missing:
            raise ArchitectureError(
                f"inverse dynamics config: unknown fields {unknown}, missing fields {missing}"
            )
        fields = dict(values)
        fields["spec"] = CellSpec.from_dict(fields["spec"])
        fields["channels"] = tuple(fields["channels"])
        try:
            return InverseDynamicsConfig(**fields)
        except (TypeError, ValueError) as error:
            raise ArchitectureError(f"inverse dynamics config: {error}") from error

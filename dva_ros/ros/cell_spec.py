"""The cell's spec as parameters, the same in every node that handles its data."""

from __future__ import annotations

from dataclasses import dataclass

from ..spec import EMBEDDED_CELL, GRIPPERS_BY_NAME, CameraSpec, CellSpec
from .parameters import described_fields, parameter


@dataclass(frozen=True)
class SpecParameters:
    """Cameras, joints and grid period; a checkpoint made for others is refused."""

    cameras: tuple[str, ...] = parameter(
        tuple(c.name for c in EMBEDDED_CELL.cameras), "camera names, from top to bottom"
    )
    mosaic_heights: tuple[int, ...] = parameter(
        tuple(c.height for c in EMBEDDED_CELL.cameras), "rows per camera in the mosaic, pixels"
    )
    mosaic_width: int = parameter(
        EMBEDDED_CELL.mosaic_width, "columns of the mosaic, pixels", minimum=8, maximum=4096
    )
    joints: tuple[str, ...] = parameter(EMBEDDED_CELL.joint_names, "joint names, in order")
    frame_period_s: float = parameter(
        EMBEDDED_CELL.frame_period_s, "period of the time grid, s", minimum=0.005, maximum=2.0
    )
    time_scaling: float = parameter(
        1.0,
        "speed at which predicted motion is executed, 1 as it was trained: the grid's period is "
        "frame_period_s / time_scaling; less where latency is longer than two frames",
        minimum=0.05,
        maximum=1.0,
        renamed_from=("speed_scaling",),
    )
    gripper_joints: tuple[str, ...] = parameter(
        GRIPPERS_BY_NAME,
        "joints that are a finger's travel in m; * stands for any text, an empty name for none; "
        "a gripper that turns counts as an arm joint",
    )

    def __post_init__(self) -> None:
        if len(self.mosaic_heights) != len(self.cameras):
            raise ValueError(
                f"mosaic_heights has {len(self.mosaic_heights)} entries "
                f"for {len(self.cameras)} cameras"
            )

    def grid(self) -> CellSpec:
        """The spec on the grid that the cell runs on, slower by `time_scaling`.

        Raises:
            ValueError: see `spec`.
        """
        return self.spec().slowed(self.time_scaling)

    def spec(self) -> CellSpec:
        """The spec that these parameters say, as a checkpoint must have it.

        Raises:
            ValueError: they cannot be one, e.g. joint names repeat.
        """
        return CellSpec(
            cameras=tuple(
                CameraSpec(name, height, self.mosaic_width)
                for name, height in zip(self.cameras, self.mosaic_heights, strict=True)
            ),
            joint_names=self.joints,
            frame_period_s=self.frame_period_s,
            gripper_joints=self.gripper_joints,
        )


SPEC_PARAMETERS = frozenset(
    each
    for name, _, described in described_fields(SpecParameters)
    for each in (name, *described.renamed_from)
)
"""Names, deprecated ones included, that are set for all nodes at once (``/**`` in a parameters
file), also for nodes that do not use them."""

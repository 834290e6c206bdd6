"""Building blocks for what stands on the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mujoco

RGBA = tuple[float, float, float, float]

OBJECT_BIT, LEFT_BIT, RIGHT_BIT, VISUAL_BIT = 1, 2, 4, 8
"""Contact groups: props touch props and both arms, an arm touches props and the other arm. Nothing
touches what is visual only. (MuJoCo drops geoms without any group from a model made of a URDF.)"""


def add_box(
    body: mujoco.MjsBody,
    half: tuple[float, float, float],
    position: tuple[float, float, float],
    rgba: RGBA,
    mass: float = 0.0,
    name: str = "",
) -> mujoco.MjsGeom:
    """Add a box to a body, with the contacts of a prop.

    Args:
        body: that gets it.
        half: half extents, m.
        position: of its centre in the body's frame, m.
        rgba: colour, 0 to 1.
        mass: kg; 0 for what is fixed.
        name: of the geom.
    """
    import mujoco

    return body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=half,
        pos=position,
        rgba=rgba,
        mass=mass,
        contype=OBJECT_BIT,
        conaffinity=OBJECT_BIT | LEFT_BIT | RIGHT_BIT,
        condim=4,
        friction=[1.0, 0.01, 0.0001],
    )


def add_visual(
    body: mujoco.MjsBody,
    shape: mujoco.mjtGeom,
    size: Sequence[float],
    position: Sequence[float],
    rgba: RGBA,
    name: str = "",
) -> mujoco.MjsGeom:
    """Add a geom that is seen and touched by nothing: a mark, a drawing, a sleeve.

    Args:
        body: that gets it.
        shape: of the geom.
        size: as MuJoCo has it for the shape, m; less than 1 mm above the table is not seen.
        position: of its centre in the body's frame, m.
        rgba: colour, 0 to 1.
        name: of the geom.
    """
    return body.add_geom(
        name=name,
        type=shape,
        size=[*size, 0.0, 0.0][:3],
        pos=position,
        rgba=rgba,
        mass=0.0,
        contype=VISUAL_BIT,
        conaffinity=0,
    )

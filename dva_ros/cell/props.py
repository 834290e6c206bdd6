"""Building blocks for what stands on the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mujoco

RGBA = tuple[float, float, float, float]

OBJECT_BIT, LEFT_BIT, RIGHT_BIT = 1, 2, 4
"""Contact groups: props touch props and both arms, an arm touches props and the other arm."""

OBJECT = "object"
"""Name of the only free body, in tasks that have one."""


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

"""A box with two handles in the middle of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...props import RGBA, add_box
from ...task import Scene, Split, random_homes, scene_rng

if TYPE_CHECKING:
    import mujoco

    from ...world import World

OBJECT = "object"
"""Name of the box's body and geom."""

HANDLE_OFFSET_M = 0.13
BOX_HALF_M = (0.05, 0.15, 0.03)
HANDLE_HALF_M = (0.04, 0.014, 0.022)
BOX_RGBA: RGBA = (0.62, 0.40, 0.22, 1.0)
HANDLE_RGBA: RGBA = (0.95, 0.25, 0.55, 1.0)


@dataclass(frozen=True)
class HandledBox:
    """A free box with a handle at either end."""

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """Add it."""
        box = spec.worldbody.add_body(name=OBJECT, pos=[0.0, 0.0, BOX_HALF_M[2]])
        box.add_freejoint()
        add_box(box, BOX_HALF_M, (0.0, 0.0, 0.0), BOX_RGBA, mass=0.25, name=OBJECT)
        for sign in (1.0, -1.0):
            centre = (0.0, sign * HANDLE_OFFSET_M, BOX_HALF_M[2] + HANDLE_HALF_M[2])
            add_box(box, HANDLE_HALF_M, centre, HANDLE_RGBA, mass=0.02)


@dataclass(frozen=True)
class LiftScene(Scene):
    """Where the box stands.

    Attributes:
        position: of the box's centre, float64 [3], world frame, m.
        yaw: of the box, rad.
    """

    position: np.ndarray
    yaw: float

    @staticmethod
    def draw(task: str, seed: int, split: Split) -> LiftScene:
        """The scene of a seed."""
        rng = scene_rng(task, seed, split)
        position = np.array([rng.uniform(-0.08, 0.08), rng.uniform(-0.05, 0.05), BOX_HALF_M[2]])
        yaw = float(rng.uniform(-0.15, 0.15))
        return LiftScene(
            props=HandledBox(),
            home=random_homes(rng),
            instruction="lift the box with both arms",
            position=position,
            yaw=yaw,
        )

    def place(self, world: World) -> None:
        """Put the box on the table."""
        world.place(OBJECT, self.position, self.yaw)

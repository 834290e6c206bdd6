"""A tray in the middle of the table and a cube beside it."""

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
"""Name of the cube's body and geom."""

CUBE_HALF_M = 0.022
TRAY_HALF_M = 0.09
TRAY_WALL_M = 0.02
TRAY_RGBA: RGBA = (0.20, 0.38, 0.38, 1.0)
TRAY_FLOOR_RGBA: RGBA = (0.35, 0.62, 0.60, 1.0)

COLOURS: dict[str, RGBA] = {
    "red": (0.88, 0.10, 0.10, 1.0),
    "green": (0.10, 0.65, 0.20, 1.0),
    "blue": (0.10, 0.20, 0.85, 1.0),
    "yellow": (0.95, 0.85, 0.10, 1.0),
    "purple": (0.55, 0.15, 0.65, 1.0),
}


@dataclass(frozen=True)
class CubeAndTray:
    """The tray is fixed, the cube is free.

    Attributes:
        colour: of the cube, a key of `COLOURS`.
    """

    colour: str = "red"

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """Add both."""
        tray = spec.worldbody.add_body(name="tray")
        floor, half, wall = 0.003, TRAY_HALF_M, TRAY_WALL_M / 2
        add_box(tray, (half, half, floor), (0.0, 0.0, floor), TRAY_FLOOR_RGBA)
        for sign in (1.0, -1.0):
            add_box(tray, (half, 0.006, wall), (0.0, sign * half, wall), TRAY_RGBA)
            add_box(tray, (0.006, half, wall), (sign * half, 0.0, wall), TRAY_RGBA)
        cube = spec.worldbody.add_body(name=OBJECT, pos=[0.0, 0.2, CUBE_HALF_M])
        cube.add_freejoint()
        colour = COLOURS[self.colour]
        add_box(cube, (CUBE_HALF_M,) * 3, (0.0, 0.0, 0.0), colour, mass=0.08, name=OBJECT)


@dataclass(frozen=True)
class PickPlaceScene(Scene):
    """Where the cube stands.

    Attributes:
        position: of the cube's centre, float64 [3], world frame, m.
        yaw: of the cube, rad.
    """

    position: np.ndarray
    yaw: float

    @staticmethod
    def draw(task: str, seed: int, split: Split) -> PickPlaceScene:
        """The scene of a seed."""
        rng = scene_rng(task, seed, split)
        colour = str(rng.choice(sorted(COLOURS)))
        side = 1.0 if rng.random() < 0.5 else -1.0
        position = np.array([rng.uniform(-0.11, 0.11), side * rng.uniform(0.15, 0.27), 0.0])
        position[2] = CUBE_HALF_M
        yaw = float(rng.uniform(-0.2, 0.2))
        return PickPlaceScene(
            props=CubeAndTray(colour),
            home=random_homes(rng),
            instruction=f"put the {colour} cube into the tray",
            position=position,
            yaw=yaw,
        )

    def place(self, world: World) -> None:
        """Put the cube on the table."""
        world.place(OBJECT, self.position, self.yaw)

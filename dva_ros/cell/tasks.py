"""The tasks: seeded scenes, instructions and success tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np

from ..errors import UserError
from .model import BOX_HALF_M, COLOURS, CUBE_HALF_M, TRAY_HALF_M

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

LIFT_HEIGHT_M = 0.10
LIFT_LEVEL_RAD = 0.17
LIFT_HOLD_S = 1.0
RELEASED_OPENING_M = 0.03


@dataclass(frozen=True)
class Scene:
    """What a seed determines.

    Attributes:
        objects: which objects stand on the table, for `model.build_model`.
        colour: of the cube.
        object_position: float64 [3], world frame, m.
        object_yaw: about world z, rad.
        home: per side, the grasp point at which the arm starts, m.
        instruction: what the operator asks for.
    """

    objects: str
    colour: str
    object_position: np.ndarray
    object_yaw: float
    home: dict[str, np.ndarray]
    instruction: str


@dataclass(frozen=True)
class ObjectState:
    """What success tests and experts see of the scene.

    Attributes:
        position: of the object's centre, world frame, m.
        rotation: float64 [3, 3], world frame.
        speed: m/s.
        openings: per side, finger travel, m.
    """

    position: np.ndarray
    rotation: np.ndarray
    speed: float
    openings: dict[str, float]

    @property
    def tilt(self) -> float:
        """Angle between the object's z axis and the vertical, rad."""
        return float(np.arccos(np.clip(self.rotation[2, 2], -1.0, 1.0)))

    @property
    def yaw(self) -> float:
        """Heading of the object's x axis about world z, rad."""
        return float(np.arctan2(self.rotation[1, 0], self.rotation[0, 0]))


class Task(Protocol):
    """A task of the embedded cell."""

    name: str
    hold_s: float

    def scene(self, seed: int, split: Split) -> Scene:
        """The scene of this seed; no seed of one split is a scene of another."""

    def satisfied(self, state: ObjectState) -> bool:
        """Whether the goal holds now; it must hold for `hold_s` to be a success."""

    def outcome(self, state: ObjectState, touched: bool) -> str:
        """Why the goal does not hold now, in a few words."""


def scene_rng(task: str, seed: int, split: Split) -> np.random.Generator:
    """Random numbers of one scene, independent between tasks and splits.

    Raises:
        UserError: unknown split.
    """
    if split not in SPLITS:
        raise UserError(f"split {split!r} is unknown; choose one of {', '.join(SPLITS)}")
    return np.random.default_rng([SPLITS.index(split), *task.encode(), seed])


def _homes(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        side: np.array([0.0, sign * 0.31, 0.20]) + rng.uniform(-0.02, 0.02, 3)
        for side, sign in (("left", 1.0), ("right", -1.0))
    }


class PickPlace:
    """Put a cube of random place and colour into the tray, with the nearer arm."""

    name = "pick_place"
    hold_s = 0.3

    def scene(self, seed: int, split: Split) -> Scene:
        """Cube beside the tray, on either half of the table."""
        rng = scene_rng(self.name, seed, split)
        colour = str(rng.choice(sorted(COLOURS)))
        side = 1.0 if rng.random() < 0.5 else -1.0
        position = np.array([rng.uniform(-0.11, 0.11), side * rng.uniform(0.15, 0.27), 0.0])
        position[2] = CUBE_HALF_M
        return Scene(
            objects="cube_and_tray",
            colour=colour,
            object_position=position,
            object_yaw=float(rng.uniform(-0.2, 0.2)),
            home=_homes(rng),
            instruction=f"put the {colour} cube into the tray",
        )

    def satisfied(self, state: ObjectState) -> bool:
        """The cube lies still in the tray and both grippers are open."""
        return (
            self._over_tray(state)
            and state.position[2] < 2.0 * CUBE_HALF_M
            and state.speed < 0.05
            and min(state.openings.values()) > RELEASED_OPENING_M
        )

    def outcome(self, state: ObjectState, touched: bool) -> str:
        """Where the cube is instead."""
        if not touched:
            return "cube never moved"
        if state.position[2] > 2.0 * CUBE_HALF_M:
            return "cube still held"
        if self._over_tray(state):
            return "cube in the tray but not released"
        return "cube beside the tray"

    @staticmethod
    def _over_tray(state: ObjectState) -> bool:
        return bool(np.all(np.abs(state.position[:2]) < TRAY_HALF_M - 0.01))


class Lift:
    """Both arms together lift a box level by 10 cm and hold it for a second."""

    name = "lift"
    hold_s = LIFT_HOLD_S

    def scene(self, seed: int, split: Split) -> Scene:
        """Box in the middle, its handles toward the arms."""
        rng = scene_rng(self.name, seed, split)
        return Scene(
            objects="handled_box",
            colour="red",
            object_position=np.array(
                [rng.uniform(-0.08, 0.08), rng.uniform(-0.05, 0.05), BOX_HALF_M[2]]
            ),
            object_yaw=float(rng.uniform(-0.15, 0.15)),
            home=_homes(rng),
            instruction="lift the box with both arms",
        )

    def satisfied(self, state: ObjectState) -> bool:
        """The box is level and at least 10 cm above the table."""
        return state.position[2] - BOX_HALF_M[2] >= LIFT_HEIGHT_M and state.tilt <= LIFT_LEVEL_RAD

    def outcome(self, state: ObjectState, touched: bool) -> str:
        """How far the box got."""
        if not touched:
            return "box never moved"
        if state.position[2] - BOX_HALF_M[2] < 0.02:
            return "box on the table"
        if state.tilt > LIFT_LEVEL_RAD:
            return "box not level"
        return "box not high enough, or not for long enough"


TASKS: dict[str, Task] = {task.name: task for task in (PickPlace(), Lift())}


def task_named(name: str) -> Task:
    """Look a task up.

    Raises:
        UserError: unknown name; lists those there are.
    """
    if name not in TASKS:
        raise UserError(f"task {name!r} is unknown; choose one of {', '.join(TASKS)}")
    return TASKS[name]

"""What a task of the simulated cell consists of.

A task draws a scene from a seed: what stands on the table, where, and what the operator asks for.
For every episode it makes a goal, which judges, and an expert, which shows how the task is done.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np

from ..errors import UserError

if TYPE_CHECKING:
    import mujoco

    from .expert import Expert
    from .goal import Goal
    from .world import World

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class Props(Hashable, Protocol):
    """What a scene adds to the cell: a frozen dataclass, so that equal props share one model."""

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """Add bodies, joints and geoms to the cell's description."""


@dataclass(frozen=True)
class Scene:
    """What a seed determines; a task adds its own fields.

    Attributes:
        props: what stands on the table.
        home: per side, the grasp point at which the arm starts, float64 [3], world frame, m.
        instruction: what the operator asks for.
    """

    props: Props
    home: dict[str, np.ndarray]
    instruction: str

    def place(self, world: World) -> None:
        """Put everything where it is at the start."""


class Actor(Protocol):
    """Moves what moves by itself: a person's hand, a conveyor."""

    def advance(self, world: World) -> None:
        """Called before every control period."""


class Task(Protocol):
    """A task of the simulated cell.

    Attributes:
        name: what datasets and tables call it.
        summary: success, in a few words.
        max_episode_s: what the expert needs at most, disturbances included.
    """

    name: str
    summary: str
    max_episode_s: float

    def scene(self, seed: int, split: Split) -> Scene:
        """The scene of this seed; no seed of one split is a scene of another."""

    def actors(self, scene: Scene) -> list[Actor]:
        """What moves by itself in one episode of the scene."""

    def goal(self, scene: Scene) -> Goal:
        """The judge of one episode of the scene."""

    def expert(self, scene: Scene) -> Expert:
        """A scripted expert at the beginning of the scene."""


def scene_rng(task: str, seed: int, split: Split) -> np.random.Generator:
    """Random numbers of one scene, independent between tasks and splits.

    Raises:
        UserError: unknown split.
    """
    if split not in SPLITS:
        raise UserError(f"split {split!r} is unknown; choose one of {', '.join(SPLITS)}")
    return np.random.default_rng([SPLITS.index(split), *task.encode(), seed])


def random_homes(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Where the arms start: above their sides of the table, within 2 cm, m."""
    return {
        side: np.array([0.0, sign * 0.31, 0.20]) + rng.uniform(-0.02, 0.02, 3)
        for side, sign in (("left", 1.0), ("right", -1.0))
    }

"""The box hangs level, 10 cm up, for a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....spec import SIDES
from ...goal import BodyGoal
from ...world import Pose, World
from .scene import BOX_HALF_M, OBJECT

PLAN = ("raised", "held")
HOLD_S = 1.0
HEIGHT_M = 0.10
LEVEL_RAD = 0.17
RAISED_M = 0.02


@dataclass(frozen=True)
class BoxState:
    """What judge and expert see.

    Attributes:
        pose: of the box.
        openings: per side, finger travel, m.
    """

    pose: Pose
    openings: dict[str, float]

    @staticmethod
    def of(world: World) -> BoxState:
        """The present state."""
        return BoxState(world.pose(OBJECT), {side: world.opening(side) for side in SIDES})

    @property
    def position(self) -> np.ndarray:
        """Of the box's centre, float64 [3], world frame, m."""
        return self.pose.position

    @property
    def rotation(self) -> np.ndarray:
        """float64 [3, 3], world frame."""
        return self.pose.rotation

    @property
    def height(self) -> float:
        """Above the table, m."""
        return float(self.position[2] - BOX_HALF_M[2])

    @property
    def lifted(self) -> bool:
        """Whether the box is level and high enough."""
        return self.height >= HEIGHT_M and self.pose.tilt <= LEVEL_RAD


class LiftGoal(BodyGoal[BoxState]):
    """Judges one episode."""

    body, hold_s, plan = OBJECT, HOLD_S, PLAN
    untouched = "box never moved"

    def observe(self, world: World) -> BoxState:
        """The box and the grippers."""
        return BoxState.of(world)

    def holds(self, state: BoxState) -> bool:
        """Level and high enough."""
        return state.lifted

    def stage(self, state: BoxState) -> str | None:
        """Raised, once it is off the table."""
        return PLAN[0] if state.height > RAISED_M else None

    def missing(self, state: BoxState) -> str:
        """How far the box got."""
        if state.height < RAISED_M:
            return "box on the table"
        if state.pose.tilt > LEVEL_RAD:
            return "box not level"
        return "box not high enough, or not for long enough"

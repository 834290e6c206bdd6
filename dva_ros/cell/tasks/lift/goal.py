"""The box hangs level, 10 cm up, for a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....spec import SIDES
from ...goal import Hold, Stages, TaskResult
from ...world import Pose, World
from .scene import BOX_HALF_M, OBJECT

PLAN = ("raised", "held")
HOLD_S = 1.0
HEIGHT_M = 0.10
LEVEL_RAD = 0.17
MOVED_M = 0.01
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


class LiftGoal:
    """Judges one episode."""

    def __init__(self) -> None:
        self._hold = Hold(HOLD_S)
        self._stages = Stages()
        self._touched = False

    def begin(self, world: World) -> None:
        """Remember where the box stands."""
        self._start = world.pose(OBJECT).position

    def update(self, world: World, period_s: float) -> None:
        """Judge the present moment."""
        state = BoxState.of(world)
        moved = bool(np.linalg.norm(state.position - self._start) > MOVED_M)
        self._touched = self._touched or moved
        self._hold.update(state.lifted, period_s)
        if state.height > RAISED_M:
            self._stages.enter("raised")
        if self._hold.reached:
            self._stages.enter("held")

    def result(self, world: World) -> TaskResult:
        """The judgement so far."""
        stages = tuple(self._stages.reached)
        if self._hold.reached:
            return TaskResult(True, "success", stages, PLAN)
        return TaskResult(False, self._missing(BoxState.of(world)), stages, PLAN)

    def _missing(self, state: BoxState) -> str:
        if not self._touched:
            return "box never moved"
        if state.height < RAISED_M:
            return "box on the table"
        if state.pose.tilt > LEVEL_RAD:
            return "box not level"
        return "box not high enough, or not for long enough"

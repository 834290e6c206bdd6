"""The cube lies still in the tray and both grippers are open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....spec import SIDES
from ...goal import Hold, Stages, TaskResult
from ...world import World
from .scene import CUBE_HALF_M, OBJECT, TRAY_HALF_M

HOLD_S = 0.3
RELEASED_OPENING_M = 0.03
MOVED_M = 0.01
STILL_M_S = 0.05
CARRIED_M = 2.0 * CUBE_HALF_M
PLAN = ("lifted", "delivered")


@dataclass(frozen=True)
class CubeState:
    """What judge and expert see.

    Attributes:
        position: of the cube's centre, float64 [3], world frame, m.
        speed: m/s.
        openings: per side, finger travel, m.
    """

    position: np.ndarray
    speed: float
    openings: dict[str, float]

    @staticmethod
    def of(world: World) -> CubeState:
        """The present state."""
        return CubeState(
            position=world.pose(OBJECT).position,
            speed=float(np.linalg.norm(world.velocity(OBJECT))),
            openings={side: world.opening(side) for side in SIDES},
        )

    @property
    def over_tray(self) -> bool:
        """Whether the cube is within the tray's walls, at any height."""
        return bool(np.all(np.abs(self.position[:2]) < TRAY_HALF_M - 0.01))

    @property
    def delivered(self) -> bool:
        """Whether it lies there, released."""
        return (
            self.over_tray
            and self.position[2] < CARRIED_M
            and self.speed < STILL_M_S
            and min(self.openings.values()) > RELEASED_OPENING_M
        )


class PickPlaceGoal:
    """Judges one episode."""

    def __init__(self) -> None:
        self._hold = Hold(HOLD_S)
        self._stages = Stages()
        self._touched = False

    def begin(self, world: World) -> None:
        """Remember where the cube stands."""
        self._start = world.pose(OBJECT).position

    def update(self, world: World, period_s: float) -> None:
        """Judge the present moment."""
        state = CubeState.of(world)
        moved = bool(np.linalg.norm(state.position - self._start) > MOVED_M)
        self._touched = self._touched or moved
        self._hold.update(state.delivered, period_s)
        if state.position[2] > CARRIED_M:
            self._stages.enter("lifted")
        if self._hold.reached:
            self._stages.enter("delivered")

    def result(self, world: World) -> TaskResult:
        """The judgement so far."""
        stages = tuple(self._stages.reached)
        if self._hold.reached:
            return TaskResult(True, "success", stages, PLAN)
        return TaskResult(False, self._missing(CubeState.of(world)), stages, PLAN)

    def _missing(self, state: CubeState) -> str:
        if not self._touched:
            return "cube never moved"
        if state.position[2] > CARRIED_M:
            return "cube still held"
        if state.over_tray:
            return "cube in the tray but not released"
        return "cube beside the tray"

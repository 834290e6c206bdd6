"""The cube lies still in the tray and both grippers are open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....spec import SIDES
from ...goal import BodyGoal
from ...world import World
from .scene import CUBE_HALF_M, OBJECT, TRAY_HALF_M

HOLD_S = 0.3
RELEASED_OPENING_M = 0.03
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


class PickPlaceGoal(BodyGoal[CubeState]):
    """Judges one episode."""

    body, hold_s, plan = OBJECT, HOLD_S, PLAN
    untouched = "cube never moved"

    def observe(self, world: World) -> CubeState:
        """The cube and the grippers."""
        return CubeState.of(world)

    def holds(self, state: CubeState) -> bool:
        """Released in the tray."""
        return state.delivered

    def stage(self, state: CubeState) -> str | None:
        """Lifted, while it is in the air."""
        return PLAN[0] if state.position[2] > CARRIED_M else None

    def missing(self, state: CubeState) -> str:
        """Where the cube is instead."""
        if state.position[2] > CARRIED_M:
            return "cube still held"
        if state.over_tray:
            return "cube in the tray but not released"
        return "cube beside the tray"

"""Carries the cube into the tray with the nearer arm."""

from __future__ import annotations

import numpy as np

from ...expert import ALIGNED_M, LOST_M, OPEN_M, PhasedExpert, above
from ...setpoint import GRIPPER_SPEED_M_S
from ...timing import CONTROL_PERIOD_S
from ...world import World
from .goal import CubeState
from .scene import CUBE_HALF_M, OBJECT, PickPlaceScene


class PickPlaceExpert(PhasedExpert[CubeState]):
    """Cube into the tray with the nearer arm; see `goal.PickPlaceGoal`."""

    HOVER_M, GRASP_M, CARRY_M, RELEASE_M = 0.12, 0.033, 0.15, 0.062
    CLOSED_M, MISSED_M = 0.010, 0.015
    CLOSE_S = 0.40

    def __init__(self, scene: PickPlaceScene) -> None:
        super().__init__(scene, "approach")
        self._side = "left" if scene.position[1] > 0 else "right"
        self._opening = OPEN_M

    def _choose_phase(self, state: CubeState) -> None:
        self._side = self._side_for(state)
        arm = self.arms[self._side]
        self._goal, self._opening = arm.position.copy(), arm.opening
        aligned = np.linalg.norm(state.position[:2] - arm.position[:2]) < ALIGNED_M
        near = np.linalg.norm(state.position - arm.position) < 0.06
        closing = arm.opening < OPEN_M - 0.005
        if near and self._in_tray(state) and state.position[2] < 2 * CUBE_HALF_M:
            self._enter("open")
        elif near and closing and arm.position[2] > self.GRASP_M + 0.012:
            self._opening = self.CLOSED_M
            self._enter("lift")
        elif near and closing:
            self._enter("close")
            left_s = (arm.opening - self.CLOSED_M) / GRIPPER_SPEED_M_S
            self._elapsed_s = self.CLOSE_S - 0.15 - left_s
        elif aligned and not closing and arm.position[2] < self.HOVER_M + 0.01:
            self._enter("descend")
        else:
            self._enter("approach")

    def _side_for(self, state: CubeState) -> str:
        """An arm at the cube goes on, one in the other's way goes home first, else the nearer."""
        for side, arm in self.arms.items():
            if np.linalg.norm(state.position - arm.position) < 0.06:
                return side
        left, right = (self.arms[side].position[1] for side in ("left", "right"))
        if left < 0.05 or right > -0.05:
            return "left" if left < -right else "right"
        return "left" if state.position[1] > 0 else "right"

    @property
    def loose_body(self) -> str | None:
        """The cube, while it is not held."""
        return OBJECT if self.phase in ("approach", "home") else None

    def _observe(self, world: World) -> CubeState:
        return CubeState.of(world)

    @property
    def holding(self) -> bool:
        """Whether the cube is between the fingers."""
        return self.phase in ("lift", "carry", "lower")

    @property
    def active_sides(self) -> tuple[str, ...]:
        """The arm that handles the cube."""
        return (self._side,)

    def drop(self) -> None:
        """Open the gripper where it is."""
        self._enter("open")

    def act(self, world: World) -> np.ndarray:
        """Joint command for the next control period, float64 [14]."""
        self._run_phase(self._observe(world))
        for side, arm in self.arms.items():
            if side == self._side:
                arm.advance(self._goal, self._opening, CONTROL_PERIOD_S)
            else:
                arm.advance(self.home[side], OPEN_M, CONTROL_PERIOD_S)
        return self._command()

    def _in_tray(self, state: CubeState) -> bool:
        return bool(np.all(np.abs(state.position[:2]) < 0.075))

    def _lost(self, state: CubeState) -> bool:
        arm = self.arms[self._side]
        return (
            float(np.linalg.norm(state.position - arm.position)) > 0.06
            or state.openings[self._side] < self.MISSED_M
        )

    def _approach(self, state: CubeState) -> None:
        toward_own_side = state.position[1] * (1.0 if self._side == "left" else -1.0)
        arm = self.arms[self._side]
        self._opening = OPEN_M
        if self._in_tray(state) and state.position[2] < 2 * CUBE_HALF_M:
            self._enter("home")
            self._goal = self.home[self._side]
            return
        if toward_own_side < -0.03:
            self._goal = above(arm, self.home[self._side], self.CARRY_M)
            if abs(arm.position[1]) > 0.2:
                self._side = "right" if self._side == "left" else "left"
            return
        target = state.position + self.aim_offset[self._side]
        self._goal = above(arm, target, self.HOVER_M)
        near = np.linalg.norm(target[:2] - arm.position[:2]) < ALIGNED_M
        if near and arm.position[2] < self.HOVER_M + 0.01 and arm.opening > OPEN_M - 0.005:
            self._enter("descend")

    def _descend(self, state: CubeState) -> None:
        target = state.position + self.aim_offset[self._side]
        arm = self.arms[self._side]
        self._goal = np.array([target[0], target[1], self.GRASP_M])
        if np.linalg.norm(target[:2] - arm.position[:2]) > LOST_M:
            self._enter("approach")
        elif arm.position[2] < self.GRASP_M + 0.006:
            self._enter("close")

    def _close(self, state: CubeState) -> None:
        self._opening = self.CLOSED_M
        if self._elapsed_s < self.CLOSE_S:
            return
        self._clear_aim()
        self._enter("approach" if self._lost(state) else "lift")

    def _lift(self, state: CubeState) -> None:
        arm = self.arms[self._side]
        self._goal = np.array([arm.position[0], arm.position[1], self.CARRY_M])
        if self._lost(state):
            self._enter("approach")
        elif arm.position[2] > self.CARRY_M - 0.03:
            self._enter("carry")

    def _carry(self, state: CubeState) -> None:
        self._goal = np.array([0.0, 0.0, self.CARRY_M])
        if self._lost(state):
            self._enter("approach")
        elif np.linalg.norm(self.arms[self._side].position[:2]) < ALIGNED_M:
            self._enter("lower")

    def _lower(self, state: CubeState) -> None:
        self._goal = np.array([0.0, 0.0, self.RELEASE_M])
        if self._lost(state):
            self._enter("approach")
        elif np.linalg.norm(self.arms[self._side].position[:2]) > LOST_M:
            self._enter("carry")
        elif self.arms[self._side].position[2] < self.RELEASE_M + 0.006:
            self._enter("open")

    def _open(self, state: CubeState) -> None:
        self._goal = self.arms[self._side].position.copy()
        self._opening = OPEN_M
        if self._elapsed_s > 0.30:
            self._enter("retreat")

    def _retreat(self, state: CubeState) -> None:
        arm = self.arms[self._side]
        self._goal = np.array([arm.position[0], arm.position[1], self.CARRY_M])
        if arm.position[2] > self.CARRY_M - 0.03:
            self._enter("home")

    def _home(self, state: CubeState) -> None:
        self._goal = self.home[self._side]
        if not self._in_tray(state):
            self._enter("approach")

"""Lifts the box by its handles with both arms."""

from __future__ import annotations

import numpy as np

from ....spec import SIDES
from ...expert import ALIGNED_M, LOST_M, OPEN_M, PhasedExpert, above
from ...setpoint import GRIPPER_SPEED_M_S
from ...timing import CONTROL_PERIOD_S
from ...world import World
from .goal import BoxState
from .scene import BOX_HALF_M, HANDLE_HALF_M, HANDLE_OFFSET_M, OBJECT, LiftScene


class LiftExpert(PhasedExpert[BoxState]):
    """Both arms lift the box by its handles; see `goal.LiftGoal`."""

    GRASP_ABOVE_CENTRE_M = BOX_HALF_M[2] + HANDLE_HALF_M[2] + 0.006
    HOVER_ABOVE_GRASP_M, LIFT_M = 0.075, 0.145
    CLOSED_M, MISSED_M = 0.004, 0.009
    CLOSE_S = 0.45

    def __init__(self, scene: LiftScene) -> None:
        super().__init__(scene, "approach")
        self._goals = {side: scene.home[side] for side in SIDES}
        self._opening = OPEN_M

    def _choose_phase(self, state: BoxState) -> None:
        arms, handles = self.arms.values(), self._handles(state)
        openings = [arm.opening for arm in arms]
        offsets = [handles[side] - arm.position for side, arm in self.arms.items()]
        aligned = max(np.linalg.norm(offset[:2]) for offset in offsets) < ALIGNED_M
        at_handles = aligned and max(abs(offset[2]) for offset in offsets) < 0.02
        self._opening = max(openings)
        raised = state.position[2] > BOX_HALF_M[2] + 0.015
        if at_handles and max(openings) < OPEN_M - 0.005:
            if raised:
                self._opening = self.CLOSED_M
                self._begin_lift(state)
                return
            self._enter("close")
            left_s = (max(openings) - self.CLOSED_M) / GRIPPER_SPEED_M_S
            self._elapsed_s = self.CLOSE_S - 0.15 - left_s
        elif aligned and min(openings) > OPEN_M - 0.005:
            self._enter("descend")
        else:
            self._enter("approach")

    @property
    def loose_body(self) -> str | None:
        """The box, while it is not held."""
        return OBJECT if self.phase in ("approach", "home") else None

    def _observe(self, world: World) -> BoxState:
        return BoxState.of(world)

    @property
    def holding(self) -> bool:
        """Whether the box hangs between the arms."""
        return self.phase == "lift"

    @property
    def active_sides(self) -> tuple[str, ...]:
        """Both arms."""
        return SIDES

    def drop(self) -> None:
        """Open both grippers where they are."""
        self._enter("release")

    def act(self, world: World) -> np.ndarray:
        """Joint command for the next control period, float64 [14]."""
        self._run_phase(self._observe(world))
        for side, arm in self.arms.items():
            arm.advance(self._goals[side], self._opening, CONTROL_PERIOD_S)
        return self._command()

    def _handles(self, state: BoxState) -> dict[str, np.ndarray]:
        local = np.array([0.0, HANDLE_OFFSET_M, self.GRASP_ABOVE_CENTRE_M])
        mirror = np.array([1.0, -1.0, 1.0])
        return {
            "left": state.position + state.rotation @ local + self.aim_offset["left"],
            "right": state.position + state.rotation @ (local * mirror) + self.aim_offset["right"],
        }

    def _missed(self, state: BoxState) -> bool:
        return min(state.openings.values()) < self.MISSED_M

    def _approach(self, state: BoxState) -> None:
        self._opening = OPEN_M
        ready = True
        for side, handle in self._handles(state).items():
            arm = self.arms[side]
            hover = handle[2] + self.HOVER_ABOVE_GRASP_M
            self._goals[side] = above(arm, handle, hover)
            ready &= bool(np.linalg.norm(handle[:2] - arm.position[:2]) < ALIGNED_M)
            ready &= abs(arm.position[2] - hover) < 0.012 and arm.opening > OPEN_M - 0.005
        if ready:
            self._enter("descend")

    def _descend(self, state: BoxState) -> None:
        down = True
        for side, handle in self._handles(state).items():
            arm = self.arms[side]
            self._goals[side] = handle
            down &= bool(arm.position[2] < handle[2] + 0.006)
            if np.linalg.norm(handle[:2] - arm.position[:2]) > LOST_M:
                self._enter("approach")
                return
        if down:
            self._enter("close")

    def _close(self, state: BoxState) -> None:
        self._opening = self.CLOSED_M
        for side, arm in self.arms.items():
            self._goals[side] = arm.position + 0.5 * arm.velocity * CONTROL_PERIOD_S
        if self._elapsed_s < self.CLOSE_S:
            return
        self._clear_aim()
        if self._missed(state):
            self._enter("approach")
            return
        self._begin_lift(state)

    def _begin_lift(self, state: BoxState) -> None:
        height = self.LIFT_M - (state.position[2] - BOX_HALF_M[2])
        level = max(arm.position[2] for arm in self.arms.values()) + height
        self._lift_goals = {
            side: np.array([*arm.position[:2], level]) for side, arm in self.arms.items()
        }
        self._enter("lift")

    def _lift(self, state: BoxState) -> None:
        self._goals = dict(self._lift_goals)
        lowest = min(arm.position[2] for arm in self.arms.values())
        dropped = lowest - state.position[2] > self.GRASP_ABOVE_CENTRE_M + 0.04
        if self._missed(state) or dropped:
            self._enter("approach")

    def _release(self, state: BoxState) -> None:
        self._opening = OPEN_M
        for side, arm in self.arms.items():
            self._goals[side] = arm.position.copy()
        if self._elapsed_s > 0.5:
            self._enter("approach")

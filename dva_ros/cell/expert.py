"""Scripted experts: near-deterministic state machines that look at the true state every tick.

Every phase checks whether what it relies on still holds and goes back where it does not, so that
a missed grasp, a dropped or nudged object and a disturbed arm are recovered from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..spec import SIDES
from .model import BOX_HALF_M, CUBE_HALF_M, HANDLE_HALF_M, HANDLE_OFFSET_M
from .setpoint import GRIPPER_SPEED_M_S, ArmSetpoint
from .simulation import CONTROL_PERIOD_S, HOME_OPENING_M
from .tasks import ObjectState, Scene

OPEN_M = HOME_OPENING_M
ALIGNED_M = 0.010
LOST_M = 0.030
JOINTS_PER_ARM = 7
CORRECTION_KEPT = 0.93
"""Part of a strange posture that is left after a control period."""


class Expert(Protocol):
    """Decides the joint command of every control period.

    Attributes:
        arms: the commanded pose per side.
        aim_offset: per side, an error added to where the object is believed to be, m; the expert
            clears it once it has grasped or noticed the miss.
        phase: name of the present phase.
    """

    arms: dict[str, ArmSetpoint]
    aim_offset: dict[str, np.ndarray]
    phase: str

    @property
    def holding(self) -> bool:
        """Whether the object is (believed to be) in the grippers."""

    @property
    def active_sides(self) -> tuple[str, ...]:
        """The arms at work."""

    def drop(self) -> None:
        """Open the grippers where they are, as a mistake."""

    def pause(self) -> np.ndarray:
        """Brake and stay, as a robot without committed motion does; command as of `act`."""

    def take_over(self, command: np.ndarray, velocity: np.ndarray, state: ObjectState) -> None:
        """Go on from what another policy has made of the scene.

        Args:
            command: the joint command now held, float [14].
            velocity: measured joint velocities, float [14].
            state: of the object.

        Raises:
            UnreachableError: an arm is where the tool cannot point down.
        """

    def continue_from(self, command: np.ndarray, velocity: np.ndarray) -> None:
        """Go on in the same phase from another motion; arguments and errors as of `take_over`."""

    def act(self, state: ObjectState) -> np.ndarray:
        """Joint command for the next control period, float64 [14]."""


class _PhasedExpert(ABC):
    """Arms, phases and their clock, shared by the experts."""

    def __init__(self, scene: Scene, first_phase: str) -> None:
        self.arms = {side: ArmSetpoint(side, scene.home[side], OPEN_M) for side in SIDES}
        self.home = scene.home
        self.aim_offset = {side: np.zeros(3) for side in SIDES}
        self.phase = first_phase
        self._elapsed_s = 0.0
        self._correction = np.zeros(2 * JOINTS_PER_ARM)

    def take_over(self, command: np.ndarray, velocity: np.ndarray, state: ObjectState) -> None:
        """Start from the given motion, in the phase that the scene is in."""
        self.continue_from(command, velocity)
        self._choose_phase(state)

    def continue_from(self, command: np.ndarray, velocity: np.ndarray) -> None:
        """Start from the given motion, in the same phase."""
        for number, side in enumerate(SIDES):
            own = slice(number * JOINTS_PER_ARM, (number + 1) * JOINTS_PER_ARM)
            self.arms[side] = ArmSetpoint.from_joints(side, command[own], velocity[own])
        self._correction = command - self._command()

    @abstractmethod
    def _choose_phase(self, state: ObjectState) -> None:
        """Enter the phase that the scene is in."""

    def pause(self) -> np.ndarray:
        """Joint command that brakes both arms and then holds them, float64 [14]."""
        for arm in self.arms.values():
            arm.advance(arm.position, arm.opening, CONTROL_PERIOD_S)
        return self._command()

    def _enter(self, phase: str) -> None:
        self.phase = phase
        self._elapsed_s = 0.0

    def _clear_aim(self) -> None:
        for offset in self.aim_offset.values():
            offset[:] = 0.0

    def _run_phase(self, state: ObjectState) -> None:
        self._elapsed_s += CONTROL_PERIOD_S
        step: Callable[[ObjectState], None] = getattr(self, f"_{self.phase}")
        step(state)

    def _command(self) -> np.ndarray:
        self._correction *= CORRECTION_KEPT
        return np.concatenate([self.arms[side].command() for side in SIDES]) + self._correction


def _above(arm: ArmSetpoint, target: np.ndarray, hover: float) -> np.ndarray:
    """Goal that reaches the hover height over `target` without sweeping through objects."""
    away = np.linalg.norm(target[:2] - arm.position[:2]) > LOST_M
    if away and arm.position[2] < hover - 0.02:
        return np.array([arm.position[0], arm.position[1], hover])
    return np.array([target[0], target[1], hover])


class PickPlaceExpert(_PhasedExpert):
    """Cube into the tray with the nearer arm; see `tasks.PickPlace`."""

    HOVER_M, GRASP_M, CARRY_M, RELEASE_M = 0.12, 0.033, 0.15, 0.062
    CLOSED_M, MISSED_M = 0.010, 0.015
    CLOSE_S = 0.40

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene, "approach")
        self._side = "left" if scene.object_position[1] > 0 else "right"
        self._opening = OPEN_M

    def _choose_phase(self, state: ObjectState) -> None:
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

    def _side_for(self, state: ObjectState) -> str:
        """An arm at the cube goes on, one in the other's way goes home first, else the nearer."""
        for side, arm in self.arms.items():
            if np.linalg.norm(state.position - arm.position) < 0.06:
                return side
        left, right = (self.arms[side].position[1] for side in ("left", "right"))
        if left < 0.05 or right > -0.05:
            return "left" if left < -right else "right"
        return "left" if state.position[1] > 0 else "right"

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

    def act(self, state: ObjectState) -> np.ndarray:
        """Joint command for the next control period, float64 [14]."""
        self._run_phase(state)
        for side, arm in self.arms.items():
            if side == self._side:
                arm.advance(self._goal, self._opening, CONTROL_PERIOD_S)
            else:
                arm.advance(self.home[side], OPEN_M, CONTROL_PERIOD_S)
        return self._command()

    def _in_tray(self, state: ObjectState) -> bool:
        return bool(np.all(np.abs(state.position[:2]) < 0.075))

    def _lost(self, state: ObjectState) -> bool:
        arm = self.arms[self._side]
        return (
            float(np.linalg.norm(state.position - arm.position)) > 0.06
            or state.openings[self._side] < self.MISSED_M
        )

    def _approach(self, state: ObjectState) -> None:
        toward_own_side = state.position[1] * (1.0 if self._side == "left" else -1.0)
        arm = self.arms[self._side]
        self._opening = OPEN_M
        if self._in_tray(state) and state.position[2] < 2 * CUBE_HALF_M:
            self._enter("home")
            self._goal = self.home[self._side]
            return
        if toward_own_side < -0.03:
            self._goal = _above(arm, self.home[self._side], self.CARRY_M)
            if abs(arm.position[1]) > 0.2:
                self._side = "right" if self._side == "left" else "left"
            return
        target = state.position + self.aim_offset[self._side]
        self._goal = _above(arm, target, self.HOVER_M)
        near = np.linalg.norm(target[:2] - arm.position[:2]) < ALIGNED_M
        if near and arm.position[2] < self.HOVER_M + 0.01 and arm.opening > OPEN_M - 0.005:
            self._enter("descend")

    def _descend(self, state: ObjectState) -> None:
        target = state.position + self.aim_offset[self._side]
        arm = self.arms[self._side]
        self._goal = np.array([target[0], target[1], self.GRASP_M])
        if np.linalg.norm(target[:2] - arm.position[:2]) > LOST_M:
            self._enter("approach")
        elif arm.position[2] < self.GRASP_M + 0.006:
            self._enter("close")

    def _close(self, state: ObjectState) -> None:
        self._opening = self.CLOSED_M
        if self._elapsed_s < self.CLOSE_S:
            return
        self._clear_aim()
        self._enter("approach" if self._lost(state) else "lift")

    def _lift(self, state: ObjectState) -> None:
        arm = self.arms[self._side]
        self._goal = np.array([arm.position[0], arm.position[1], self.CARRY_M])
        if self._lost(state):
            self._enter("approach")
        elif arm.position[2] > self.CARRY_M - 0.03:
            self._enter("carry")

    def _carry(self, state: ObjectState) -> None:
        self._goal = np.array([0.0, 0.0, self.CARRY_M])
        if self._lost(state):
            self._enter("approach")
        elif np.linalg.norm(self.arms[self._side].position[:2]) < ALIGNED_M:
            self._enter("lower")

    def _lower(self, state: ObjectState) -> None:
        self._goal = np.array([0.0, 0.0, self.RELEASE_M])
        if self._lost(state):
            self._enter("approach")
        elif np.linalg.norm(self.arms[self._side].position[:2]) > LOST_M:
            self._enter("carry")
        elif self.arms[self._side].position[2] < self.RELEASE_M + 0.006:
            self._enter("open")

    def _open(self, state: ObjectState) -> None:
        self._goal = self.arms[self._side].position.copy()
        self._opening = OPEN_M
        if self._elapsed_s > 0.30:
            self._enter("retreat")

    def _retreat(self, state: ObjectState) -> None:
        arm = self.arms[self._side]
        self._goal = np.array([arm.position[0], arm.position[1], self.CARRY_M])
        if arm.position[2] > self.CARRY_M - 0.03:
            self._enter("home")

    def _home(self, state: ObjectState) -> None:
        self._goal = self.home[self._side]
        if not self._in_tray(state):
            self._enter("approach")


class LiftExpert(_PhasedExpert):
    """Both arms lift the box by its handles; see `tasks.Lift`."""

    GRASP_ABOVE_CENTRE_M = BOX_HALF_M[2] + HANDLE_HALF_M[2] + 0.006
    HOVER_ABOVE_GRASP_M, LIFT_M = 0.075, 0.145
    CLOSED_M, MISSED_M = 0.004, 0.009
    CLOSE_S = 0.45

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene, "approach")
        self._goals = {side: scene.home[side] for side in SIDES}
        self._opening = OPEN_M

    def _choose_phase(self, state: ObjectState) -> None:
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

    def act(self, state: ObjectState) -> np.ndarray:
        """Joint command for the next control period, float64 [14]."""
        self._run_phase(state)
        for side, arm in self.arms.items():
            arm.advance(self._goals[side], self._opening, CONTROL_PERIOD_S)
        return self._command()

    def _handles(self, state: ObjectState) -> dict[str, np.ndarray]:
        local = np.array([0.0, HANDLE_OFFSET_M, self.GRASP_ABOVE_CENTRE_M])
        mirror = np.array([1.0, -1.0, 1.0])
        return {
            "left": state.position + state.rotation @ local + self.aim_offset["left"],
            "right": state.position + state.rotation @ (local * mirror) + self.aim_offset["right"],
        }

    def _missed(self, state: ObjectState) -> bool:
        return min(state.openings.values()) < self.MISSED_M

    def _approach(self, state: ObjectState) -> None:
        self._opening = OPEN_M
        ready = True
        for side, handle in self._handles(state).items():
            arm = self.arms[side]
            hover = handle[2] + self.HOVER_ABOVE_GRASP_M
            self._goals[side] = _above(arm, handle, hover)
            ready &= bool(np.linalg.norm(handle[:2] - arm.position[:2]) < ALIGNED_M)
            ready &= abs(arm.position[2] - hover) < 0.012 and arm.opening > OPEN_M - 0.005
        if ready:
            self._enter("descend")

    def _descend(self, state: ObjectState) -> None:
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

    def _close(self, state: ObjectState) -> None:
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

    def _begin_lift(self, state: ObjectState) -> None:
        height = self.LIFT_M - (state.position[2] - BOX_HALF_M[2])
        level = max(arm.position[2] for arm in self.arms.values()) + height
        self._lift_goals = {
            side: np.array([*arm.position[:2], level]) for side, arm in self.arms.items()
        }
        self._enter("lift")

    def _lift(self, state: ObjectState) -> None:
        self._goals = dict(self._lift_goals)
        lowest = min(arm.position[2] for arm in self.arms.values())
        dropped = lowest - state.position[2] > self.GRASP_ABOVE_CENTRE_M + 0.04
        if self._missed(state) or dropped:
            self._enter("approach")

    def _release(self, state: ObjectState) -> None:
        self._opening = OPEN_M
        for side, arm in self.arms.items():
            self._goals[side] = arm.position.copy()
        if self._elapsed_s > 0.5:
            self._enter("approach")


EXPERTS: dict[str, Callable[[Scene], Expert]] = {
    "pick_place": PickPlaceExpert,
    "lift": LiftExpert,
}

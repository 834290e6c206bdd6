"""Scripted experts: near-deterministic state machines that look at the true state every tick.

Every phase checks whether what it relies on still holds and goes back where it does not, so that
a missed grasp, a dropped or nudged object and a disturbed arm are recovered from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np

from ..spec import SIDES
from .setpoint import ArmSetpoint
from .task import Scene
from .timing import CONTROL_PERIOD_S, HOME_OPENING_M
from .world import World

OPEN_M = HOME_OPENING_M
ALIGNED_M = 0.010
LOST_M = 0.030
JOINTS_PER_ARM = 7
CORRECTION_KEPT = 0.93
"""Part of a strange posture that is left after a control period."""

State = TypeVar("State")
"""What an expert looks at, as its task observes it."""


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

    @property
    def loose_body(self) -> str | None:
        """A free body that a person could push now; None where that would make no sense."""

    @property
    def steady(self) -> bool:
        """Whether the arms must not be kicked now: the grippers close or open."""

    def drop(self) -> None:
        """Open the grippers where they are, as a mistake."""

    def pause(self) -> np.ndarray:
        """Brake and stay, as a robot idle does; command as of `act`."""

    def take_over(self, command: np.ndarray, velocity: np.ndarray, world: World) -> None:
        """Go on from what another policy has made of the scene.

        Args:
            command: the joint command now held, float [14].
            velocity: measured joint velocities, float [14].
            world: the present moment.

        Raises:
            UnreachableError: an arm is where the tool cannot point down.
        """

    def continue_from(self, command: np.ndarray, velocity: np.ndarray) -> None:
        """Go on in the same phase from another motion; arguments and errors as of `take_over`."""

    def act(self, world: World) -> np.ndarray:
        """Joint command for the next control period, float64 [14]."""


class PhasedExpert(ABC, Generic[State]):
    """Arms, phases and their clock, shared by the experts."""

    def __init__(self, scene: Scene, first_phase: str) -> None:
        self.arms = {side: ArmSetpoint(side, scene.home[side], OPEN_M) for side in SIDES}
        self.home = scene.home
        self.aim_offset = {side: np.zeros(3) for side in SIDES}
        self.phase = first_phase
        self._elapsed_s = 0.0
        self._correction = np.zeros(2 * JOINTS_PER_ARM)

    def take_over(self, command: np.ndarray, velocity: np.ndarray, world: World) -> None:
        """Start from the given motion, in the phase that the scene is in."""
        self.continue_from(command, velocity)
        self._choose_phase(self._observe(world))

    def continue_from(self, command: np.ndarray, velocity: np.ndarray) -> None:
        """Start from the given motion, in the same phase."""
        for number, side in enumerate(SIDES):
            own = slice(number * JOINTS_PER_ARM, (number + 1) * JOINTS_PER_ARM)
            self.arms[side] = ArmSetpoint.from_joints(side, command[own], velocity[own])
        self._correction = command - self._command()

    @property
    def loose_body(self) -> str | None:
        """None: nothing is pushed, unless the task's expert knows better."""
        return None

    @property
    def steady(self) -> bool:
        """While the grippers close or open."""
        return self.phase in ("close", "open", "release")

    @abstractmethod
    def _observe(self, world: World) -> State:
        """What the phases look at."""

    @abstractmethod
    def _choose_phase(self, state: State) -> None:
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

    def _run_phase(self, state: State) -> None:
        self._elapsed_s += CONTROL_PERIOD_S
        step: Callable[[State], None] = getattr(self, f"_{self.phase}")
        step(state)

    def _command(self) -> np.ndarray:
        self._correction *= CORRECTION_KEPT
        return np.concatenate([self.arms[side].command() for side in SIDES]) + self._correction


def above(arm: ArmSetpoint, target: np.ndarray, hover: float) -> np.ndarray:
    """Goal that reaches the hover height over `target` without sweeping through objects."""
    away = np.linalg.norm(target[:2] - arm.position[:2]) > LOST_M
    if away and arm.position[2] < hover - 0.02:
        return np.array([arm.position[0], arm.position[1], hover])
    return np.array([target[0], target[1], hover])

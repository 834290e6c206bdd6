"""Judges of episodes: success, stages, and what is missing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from .world import World

State = TypeVar("State")
"""What a goal looks at."""


@dataclass(frozen=True)
class TaskResult:
    """The judgement so far.

    Attributes:
        success: the goal was reached; stays true.
        outcome: "success", or what is missing.
        stages: names of the stages reached, in the order in which they were, repeats included.
        plan: names of the task's stages in the order in which they belong; empty for none.
    """

    success: bool
    outcome: str
    stages: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()

    @property
    def repeated(self) -> int:
        """How often a stage was reached again."""
        return len(self.stages) - len(set(self.stages))

    @property
    def skipped(self) -> tuple[str, ...]:
        """Stages of the plan that were passed over: a later one was reached, they were not."""
        reached = [number for number, stage in enumerate(self.plan) if stage in self.stages]
        last = reached[-1] if reached else 0
        return tuple(stage for stage in self.plan[:last] if stage not in self.stages)


class Goal(Protocol):
    """Judges one episode."""

    def begin(self, world: World) -> None:
        """The episode begins; the scene is at rest."""

    def update(self, world: World, period_s: float) -> None:
        """Judge the present moment, a control period of `period_s` after the last one."""

    def result(self, world: World) -> TaskResult:
        """The judgement so far."""


@dataclass
class Stages:
    """The stages of an episode as they are reached.

    Attributes:
        reached: names, repeats included.
    """

    reached: list[str] = field(default_factory=list)

    def enter(self, name: str) -> None:
        """The task is at this stage now; nothing changes where it was already."""
        if not self.reached or self.reached[-1] != name:
            self.reached.append(name)


@dataclass
class Hold:
    """Whether something has held without a break for a time.

    Attributes:
        needed_s: for how long.
        reached: it has; stays true.
    """

    needed_s: float
    reached: bool = False
    _held_s: float = 0.0

    def update(self, holds: bool, period_s: float) -> None:
        """Whether it holds now, `period_s` after the last call."""
        self._held_s = self._held_s + period_s if holds else 0.0
        self.reached = self.reached or self._held_s >= self.needed_s


MOVED_M = 0.01


class BodyGoal(ABC, Generic[State]):
    """One free body has to be in a certain state for a time.

    A task gives the body, the time, its plan of stages, whose last is success, and the methods.

    Attributes:
        body: name of the body.
        hold_s: for how long the state must hold.
        plan: stages, see `TaskResult.plan`.
        untouched: outcome while the body stands where it stood.
    """

    body: str
    hold_s: float
    plan: tuple[str, ...]
    untouched: str

    def __init__(self) -> None:
        self._hold = Hold(self.hold_s)
        self._stages = Stages()
        self._touched = False

    @abstractmethod
    def observe(self, world: World) -> State:
        """What the other methods look at."""

    @abstractmethod
    def holds(self, state: State) -> bool:
        """Whether the body is where it has to be."""

    @abstractmethod
    def stage(self, state: State) -> str | None:
        """The stage that the body is at, before success."""

    @abstractmethod
    def missing(self, state: State) -> str:
        """Why a body that was moved is not where it has to be."""

    def begin(self, world: World) -> None:
        """Remember where the body stands."""
        self._start = world.pose(self.body).position

    def update(self, world: World, period_s: float) -> None:
        """Judge the present moment."""
        state = self.observe(world)
        distance = np.linalg.norm(world.pose(self.body).position - self._start)
        self._touched = self._touched or bool(distance > MOVED_M)
        self._hold.update(self.holds(state), period_s)
        stage = self.plan[-1] if self._hold.reached else self.stage(state)
        if stage is not None:
            self._stages.enter(stage)

    def result(self, world: World) -> TaskResult:
        """The judgement so far."""
        stages = tuple(self._stages.reached)
        if self._hold.reached:
            return TaskResult(True, "success", stages, self.plan)
        outcome = self.missing(self.observe(world)) if self._touched else self.untouched
        return TaskResult(False, outcome, stages, self.plan)

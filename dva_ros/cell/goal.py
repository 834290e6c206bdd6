"""Judges of episodes: success, stages, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .world import World


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

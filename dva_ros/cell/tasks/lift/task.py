"""The task `lift`."""

from __future__ import annotations

from ...task import Actor, Split
from .expert import LiftExpert
from .goal import LiftGoal
from .scene import LiftScene


class Lift:
    """Lift the box with both arms."""

    name = "lift"
    summary = "box level, 10 cm up, for one second"
    max_episode_s = 16.0

    def scene(self, seed: int, split: Split) -> LiftScene:
        """Box in the middle, its handles toward the arms."""
        return LiftScene.draw(self.name, seed, split)

    def actors(self, scene: LiftScene) -> list[Actor]:
        """Nothing moves by itself."""
        return []

    def goal(self, scene: LiftScene) -> LiftGoal:
        """The box in the air."""
        return LiftGoal()

    def expert(self, scene: LiftScene) -> LiftExpert:
        """Both arms."""
        return LiftExpert(scene)

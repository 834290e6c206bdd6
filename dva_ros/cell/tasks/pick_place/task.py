"""The task `pick_place`."""

from __future__ import annotations

from ...task import Actor, Split
from .expert import PickPlaceExpert
from .goal import PickPlaceGoal
from .scene import PickPlaceScene


class PickPlace:
    """Put the cube into the tray."""

    name = "pick_place"
    summary = "cube released in the tray"
    max_episode_s = 16.0

    def scene(self, seed: int, split: Split) -> PickPlaceScene:
        """Cube beside the tray, on either half of the table."""
        return PickPlaceScene.draw(self.name, seed, split)

    def actors(self, scene: PickPlaceScene) -> list[Actor]:
        """Nothing moves by itself."""
        return []

    def goal(self, scene: PickPlaceScene) -> PickPlaceGoal:
        """The cube in the tray."""
        return PickPlaceGoal()

    def expert(self, scene: PickPlaceScene) -> PickPlaceExpert:
        """One arm."""
        return PickPlaceExpert(scene)

"""A task of your own: touch the mark on the table with the left gripper."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from dva_ros.cell.expert import OPEN_M, PhasedExpert, above
from dva_ros.cell.goal import Hold, Stages, TaskResult
from dva_ros.cell.props import add_visual
from dva_ros.cell.task import Actor, Scene, Split, random_homes, scene_rng
from dva_ros.cell.timing import CONTROL_PERIOD_S
from dva_ros.cell.world import World

TOUCH_HEIGHT_M = 0.04
REACHED_M = 0.02


@dataclass(frozen=True)
class Mark:
    """A disc drawn on the table: a visual geom without contacts.

    Attributes:
        x: of its centre, m.
        y: of its centre, m.
    """

    x: float
    y: float

    def add_to(self, spec: mujoco.MjSpec) -> None:
        shape, size = mujoco.mjtGeom.mjGEOM_CYLINDER, (0.03, 0.002)
        centre = (self.x, self.y, 0.002)
        add_visual(spec.worldbody, shape, size, centre, (0.9, 0.2, 0.6, 1.0), "mark")

    @property
    def target(self) -> np.ndarray:
        """Where the grasp point has to be, m."""
        return np.array([self.x, self.y, TOUCH_HEIGHT_M])


@dataclass(frozen=True)
class ReachScene(Scene):
    mark: Mark


class ReachGoal:
    """Success: the left grasp point stays at the mark for 0.3 s."""

    def __init__(self, target: np.ndarray) -> None:
        self._target, self._hold, self._stages = target, Hold(0.3), Stages()

    def begin(self, world: World) -> None:
        """Nothing to remember."""

    def update(self, world: World, period_s: float) -> None:
        touches = self._distance(world) < REACHED_M
        self._hold.update(touches, period_s)
        if touches:
            self._stages.enter("touched")

    def result(self, world: World) -> TaskResult:
        done = self._hold.reached
        outcome = "success" if done else f"{100 * self._distance(world):.0f} cm from the mark"
        return TaskResult(done, outcome, tuple(self._stages.reached))

    def _distance(self, world: World) -> float:
        return float(np.linalg.norm(world.grasp_point("left") - self._target))


class ReachExpert(PhasedExpert[World]):
    """One method a phase: the method of the present phase is called every control period."""

    holding = False
    active_sides = ("left",)

    def __init__(self, scene: ReachScene) -> None:
        super().__init__(scene, "approach")
        self._target = scene.mark.target
        self._goal = scene.home["left"]

    def act(self, world: World) -> np.ndarray:
        self._run_phase(world)
        self.arms["left"].advance(self._goal, OPEN_M, CONTROL_PERIOD_S)
        self.arms["right"].advance(self.home["right"], OPEN_M, CONTROL_PERIOD_S)
        return self._command()

    def drop(self) -> None:
        """Nothing is held."""

    def _observe(self, world: World) -> World:
        return world

    def _choose_phase(self, state: World) -> None:
        self._enter("approach")

    def _approach(self, state: World) -> None:
        target = self._target + self.aim_offset["left"]
        arm = self.arms["left"]
        self._goal = above(arm, target, 0.12)
        if np.linalg.norm(arm.position - self._goal) < 0.01:
            self._enter("touch")

    def _touch(self, state: World) -> None:
        self._goal = self._target + self.aim_offset["left"]
        if self._elapsed_s > 1.5:  # missed: aim again
            self._clear_aim()
            self._enter("approach")


class Reach:
    """Touch the mark."""

    name = "reach"
    summary = "left gripper at the mark for 0.3 s"
    max_episode_s = 10.0

    def scene(self, seed: int, split: Split) -> ReachScene:
        rng = scene_rng(self.name, seed, split)
        mark = Mark(float(rng.uniform(-0.1, 0.1)), float(rng.uniform(0.1, 0.25)))
        return ReachScene(mark, random_homes(rng), "touch the mark", mark)

    def actors(self, scene: ReachScene) -> list[Actor]:
        return []

    def goal(self, scene: ReachScene) -> ReachGoal:
        return ReachGoal(scene.mark.target)

    def expert(self, scene: ReachScene) -> ReachExpert:
        return ReachExpert(scene)

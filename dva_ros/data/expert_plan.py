"""The motion of a scripted expert, planned ahead in a copy of the scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..cell.simulation import Cell
from ..cell.task import Split, Task
from ..cell.timing import CONTROL_PERIOD_S
from ..trajectory import Trajectory, TrajectoryPoint
from .cell_episodes import AFTER_SUCCESS_S

TICKS_PER_POINT = 2
FIRST_POINT_S = 0.1
"""From the start of the trajectory to its first point, which is where the arms stand."""


@dataclass(frozen=True)
class ExpertPlan:
    """What the expert would do.

    Attributes:
        instruction: of the scene.
        commands: float64 [T, J], the command of every control period.
        success: whether the task was fulfilled in the copy.
    """

    instruction: str
    commands: np.ndarray
    success: bool

    def trajectory(self, joint_names: tuple[str, ...]) -> Trajectory:
        """The plan as one message for a joint_trajectory_controller, at rest at its end."""
        knots = self.commands[::TICKS_PER_POINT]
        velocities = np.gradient(knots, TICKS_PER_POINT * CONTROL_PERIOD_S, axis=0)
        velocities[[0, -1]] = 0.0
        points = tuple(
            TrajectoryPoint(
                positions=position,
                velocities=velocity,
                time_from_start=FIRST_POINT_S + number * TICKS_PER_POINT * CONTROL_PERIOD_S,
            )
            for number, (position, velocity) in enumerate(zip(knots, velocities, strict=True))
        )
        return Trajectory(joint_names, points)


def plan_expert(cell: Cell, task: Task, seed: int, split: Split) -> ExpertPlan:
    """Let the expert do the task in `cell`, and for a moment longer; nothing disturbs it."""
    instruction = cell.reset(task, seed, split)
    expert = task.expert(cell.scene)
    commands = [cell.command()]
    success_s: float | None = None
    while cell.time < task.max_episode_s:
        if success_s is None and cell.evaluate().success:
            success_s = cell.time
        if success_s is not None and cell.time - success_s > AFTER_SUCCESS_S:
            break
        commands.append(expert.act(cell.world))
        cell.step(commands[-1])
    return ExpertPlan(instruction, np.stack(commands), success_s is not None)

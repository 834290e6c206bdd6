"""The simulated cell kept in step with a real clock: physics, controller, cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..trajectory import Trajectory
from .controller import (
    ControllerParameters,
    ControllerState,
    Generation,
    JointState,
    JointTrajectoryController,
)
from .goal import TaskResult
from .simulation import Cell
from .task import Split
from .tasks import find_task
from .timing import CONTROL_PERIOD_S

MAX_LAG_S = 0.5


@dataclass(frozen=True)
class Measurement:
    """What the robot's encoders say after one control period.

    Attributes:
        stamp: s on the robot's clock.
        position: float32 [joints], rad (m for grippers).
        velocity: float32 [joints] per second.
        controller: the controller's state, None before its first update and while inactive.
        result: the task's judgement.
        elapsed_s: simulated time since the reset.
    """

    stamp: float
    position: np.ndarray
    velocity: np.ndarray
    controller: ControllerState | None
    result: TaskResult
    elapsed_s: float


class RealTimeCell:
    """One control period at a time, each at its due time on a real clock.

    All methods belong to the thread that renders.

    Args:
        version: of the emulated joint_trajectory_controller, e.g. "4.42.1".
    """

    def __init__(self, version: str) -> None:
        self._generation = Generation.parse(version)
        self._cell = Cell()
        self._parameters = ControllerParameters(
            interpolate_from_desired_state=True,
            allow_trajectory_replacement=False,
            update_rate=round(1 / CONTROL_PERIOD_S),
        )
        self._base = 0.0
        self._ticks = 0

    @property
    def due(self) -> float:
        """Clock time of the next control period, s."""
        return self._base + self._ticks * CONTROL_PERIOD_S

    @property
    def ticks(self) -> int:
        """Control periods done since the last reset."""
        return self._ticks

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Order of all vectors."""
        return self._cell.spec.joint_names

    def reset(self, task_name: str, seed: int, split: Split) -> str:
        """Put the cell into a seeded scene, the controller holding; gives the instruction.

        `begin` is to follow.

        Raises:
            UserError: unknown task or split.
        """
        task = find_task(task_name)
        instruction = self._cell.reset(task, seed, split)
        self._controller = JointTrajectoryController(
            self._cell.spec.joint_names, self._generation, self._parameters
        )
        return instruction

    def begin(self, now: float) -> None:
        """The first control period of the new scene is due at `now`."""
        self._base, self._ticks = now, 0

    def submit(self, trajectory: Trajectory) -> str | None:
        """Hand a trajectory to the controller; gives the reason of a refusal."""
        stamp = trajectory.stamp - self._base if trajectory.stamp else 0.0
        relative = Trajectory(trajectory.joint_names, trajectory.points, stamp)
        return self._controller.submit(relative, self._ticks * CONTROL_PERIOD_S)

    def set_controller_active(self, active: bool) -> None:
        """Deactivate the controller, which then drops trajectories, or activate it again."""
        if active and not self._controller.active:
            self._controller.activate()
        elif not active:
            self._controller.deactivate()

    def catch_up(self, now: float) -> float:
        """Give up the time beyond `MAX_LAG_S` that a busy machine cost; gives the seconds."""
        lag = now - self.due
        if lag <= MAX_LAG_S:
            return 0.0
        self._base += lag
        return lag

    def measure(self) -> Measurement:
        """Begin a control period: measure and update the controller.

        The controller starts from what the scene's arms are commanded already.
        """
        stamp = self.due
        position, velocity = self._cell.positions(), self._cell.velocities()
        known = position if self._ticks else self._cell.command()
        self._command = self._controller.update(
            self._ticks * CONTROL_PERIOD_S, JointState(known, velocity)
        )
        return Measurement(
            stamp,
            position,
            velocity,
            self._controller.state if self._controller.active else None,
            self._cell.evaluate(),
            self._cell.time,
        )

    def render(self, camera: str) -> np.ndarray:
        """The scene now, as this camera sees it: uint8 RGB of its native size."""
        return self._cell.render(camera)

    def simulate(self) -> None:
        """Let physics run for one control period under the controller's command."""
        self._cell.step(self._command)
        self._ticks += 1

    def close(self) -> None:
        """Free the renderers."""
        self._cell.close()

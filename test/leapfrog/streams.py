"""A scheduler and an emulated controller, fed with frames and chunks by the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dva_ros.cell.controller import (
    ControllerParameters,
    Generation,
    JointState,
    JointTrajectoryController,
)
from dva_ros.evaluation.metrics import CommandSteps
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.leapfrog.messages import Chunk, Decision, Frame, Request
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.scheduler import Leapfrog
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL
from dva_ros.trajectory import split

NAMES = EMBEDDED_CELL.joint_names
LIMITS = JointLimits.load(config_path("joint_limits"), NAMES)
HOME = np.where([name.endswith("gripper") for name in NAMES], 0.025, 0.2)
SCALE = np.where([name.endswith("gripper") for name in NAMES], 0.02, 0.8)
PERIOD_S = 0.01


def engaged(now: float = 0.0, parameters: LeapfrogParameters | None = None) -> Leapfrog:
    """A scheduler engaged at HOME."""
    leapfrog = Leapfrog(parameters or LeapfrogParameters(), LIMITS, NAMES)
    assert leapfrog.engage(now, HOME).refusal == ""
    return leapfrog


def frame(index: int) -> Frame:
    """Frame `index` of session 1, which began at time 0."""
    return Frame(1, index, index * 0.1)


def answer(request: Request, targets: np.ndarray, names: tuple[str, ...] = NAMES) -> Chunk:
    """The chunk that answers a request."""
    return Chunk(
        request.session,
        request.request_id,
        request.request_id,
        request.frame_index,
        names,
        targets,
    )


def waves(times: np.ndarray, speed: float = 1.0) -> np.ndarray:
    """Smooth joint positions [N, J] that leave HOME at time 0 at rest."""
    phase = speed * np.asarray(times, np.float64)[:, None] * np.linspace(0.6, 1.4, len(NAMES))
    return HOME + 0.5 * SCALE * (1 - np.cos(phase))


def targets_after(index: int, speed: float = 1.0) -> np.ndarray:
    """A chunk's targets [8, J] on `waves`."""
    return waves((index + np.arange(1, 9)) * 0.1, speed)


@dataclass
class Stream:
    """Plays scheduler and controllers at 100 Hz and records every command.

    Attributes:
        leapfrog: under test.
        generation: of the controllers.
        groups: the joints of each controller.
        parameters: of every controller.
        refusals: of the controllers.
        commands: all that they wrote, [J] each.
        steps: measured on them.
    """

    leapfrog: Leapfrog
    generation: Generation = Generation.JAZZY
    groups: Sequence[tuple[str, ...]] = (NAMES,)
    parameters: ControllerParameters = field(
        default_factory=lambda: ControllerParameters(
            interpolate_from_desired_state=True, allow_trajectory_replacement=False
        )
    )
    refusals: list[str] = field(default_factory=list)
    commands: list[np.ndarray] = field(default_factory=list)
    steps: CommandSteps = field(default_factory=lambda: CommandSteps(LIMITS, PERIOD_S))

    def __post_init__(self) -> None:
        self._controllers = [
            JointTrajectoryController(group, self.generation, self.parameters)
            for group in self.groups
        ]
        self._columns = [[NAMES.index(name) for name in group] for group in self.groups]
        self._position = self.leapfrog.state.motion.final_position.copy()

    def send(self, decision: Decision, now: float) -> None:
        """Give every controller its part of a decision's trajectory."""
        if decision.trajectory is None:
            return
        parts = split(decision.trajectory, self.groups)
        for controller, part in zip(self._controllers, parts, strict=True):
            refusal = controller.submit(part, now)
            if refusal is not None:
                self.refusals.append(refusal)

    def tick(self, now: float) -> None:
        """One controller period."""
        self.leapfrog.on_joint_states(now, self._position)
        self.send(self.leapfrog.watch(now), now)
        commanded = self._position.copy()
        for controller, columns in zip(self._controllers, self._columns, strict=True):
            measured = JointState(self._position[columns], np.zeros(len(columns)))
            commanded[columns] = controller.update(now, measured)
        self._position = commanded
        self.commands.append(self._position)
        self.steps.add(self._position)

"""Experts in place of the models: what the loop alone loses."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from ..cell.kinematics import UnreachableError
from ..cell.simulation import Cell
from ..cell.timing import CONTROL_PERIOD_S
from ..data.episodes import Episode
from ..leapfrog.target_spline import curve_through
from .policy import Imagined


class ExpertChunks:
    """Asks the expert anew at every request, as if it had been shown the present moment.

    It plays the committed motion and then the expert in a copy of the simulation, so that it
    reacts to what has become of the scene like a model that makes no mistake. What the expert was
    at (its phase) is remembered along the last answer, as if that had been executed. It knows one
    future only: guidance toward the last one would change nothing and is not looked at.
    """

    def __init__(self, cell: Cell, horizon: int) -> None:
        """`cell` is the one in which the episode runs; `horizon` is H."""
        self._cell = cell
        self._horizon = horizon
        self._ticks = round(cell.spec.frame_period_s / CONTROL_PERIOD_S)

    def begin(self, seed: int, instruction: str) -> None:
        """A new episode: the expert begins."""
        self._experts = [self._cell.task.expert(self._cell.scene)]
        self._age = 0

    def observe(self, mosaic: np.ndarray, state: np.ndarray) -> None:
        """Count the frame; the simulation itself is looked at, when asked."""
        self._age += 1

    def imagine(self, committed: np.ndarray, guidance: np.ndarray | None = None) -> Imagined:
        """The committed commands, then the expert's; the last command where it cannot go on."""
        cell = self._cell.fork()
        velocity = self._play(cell, committed)
        targets = [*committed]
        expert = self._experts[min(self._age + len(targets), len(self._experts) - 1)]
        try:
            expert.continue_from(cell.command(), velocity)
        except UnreachableError:
            targets += [cell.command()] * (self._horizon - len(targets))
        self._experts, self._age = [expert] * len(targets), 0
        while len(targets) < self._horizon:
            self._experts.append(copy.deepcopy(expert))
            for _ in range(self._ticks):
                cell.step(expert.act(cell.world))
            targets.append(cell.command())
        self._experts.append(expert)
        return Imagined(np.stack(targets).astype(np.float32), None)

    def _play(self, cell: Cell, committed: np.ndarray) -> np.ndarray:
        """Play the committed motion; returns the joints' velocities [J] at its end."""
        if len(committed) == 0:
            return cell.velocities().astype(np.float64)
        period = cell.spec.frame_period_s
        motion = curve_through(cell.command(), committed, 0.0, period)
        for tick in range(len(committed) * self._ticks):
            cell.step(motion.sample((tick + 1) * CONTROL_PERIOD_S)[0])
        return motion.velocities[-1]


class OracleChunks:
    """Answers every request with the commands that an expert gave in the same scene.

    The recording is not adapted to what happens: success shows that the schedule, the splices
    and the controller reproduce motion well enough, failure at small latency that they do not.
    """

    def __init__(self, record: Callable[[int], Episode], horizon: int) -> None:
        """`record` gives the expert's episode in the scene of a seed; `horizon` is H."""
        self._record = record
        self._horizon = horizon
        self._commands = np.zeros((0, 0), np.float32)
        self._frame = -1

    def begin(self, seed: int, instruction: str) -> None:
        """Record the expert in this scene."""
        self._commands = self._record(seed).command()
        self._frame = -1

    def observe(self, mosaic: np.ndarray, state: np.ndarray) -> None:
        """Count the frame; what it shows is not looked at."""
        self._frame += 1

    def imagine(self, committed: np.ndarray, guidance: np.ndarray | None = None) -> Imagined:
        """The recorded commands for the next H frames; after the recording's end, its last."""
        frames = self._frame + 1 + np.arange(self._horizon)
        return Imagined(self._commands[np.minimum(frames, len(self._commands) - 1)], None)

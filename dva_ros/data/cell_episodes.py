"""Episodes of an expert, or of random motion, as seen by the cameras on the time grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..cell.kinematics import UnreachableError
from ..cell.perturbation import Perturber
from ..cell.setpoint import ArmSetpoint
from ..cell.simulation import Cell
from ..cell.task import Split, Task, scene_rng
from ..cell.tasks import find_task
from ..cell.timing import CONTROL_PERIOD_S, HOME_OPENING_M
from ..spec import SIDES
from .episodes import Episode

AFTER_SUCCESS_S = 1.2
RANDOM_MOTION_S = 8.0
RANDOM_MOTION_TASKS = ("pick_place", "lift")
"""Whose scenes random motion is recorded in; the order is a part of every seed's scene."""


class EpisodeRecorder:
    """Collects what the cameras and joints show at every grid time of one episode."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.images: dict[str, list[np.ndarray]] = {name: [] for name in cell.native_size}
        self.states: list[np.ndarray] = []
        self.commands: list[np.ndarray] = []
        self.clean: list[bool] = []
        self.ticks_per_frame = round(cell.spec.frame_period_s / CONTROL_PERIOD_S)

    def frame(self, command: np.ndarray, clean: bool) -> None:
        """Record the present moment; `command` is the one now in force.

        `clean` is False if the motion since the last frame is not to be imitated.
        """
        for name, images in self.images.items():
            images.append(self._cell.render(name))
        self.states.append(self._cell.positions())
        self.commands.append(command.astype(np.float32))
        self.clean.append(clean)

    def episode(self, task: str, instruction: str, seed: int, success: bool) -> Episode:
        """Everything recorded; the action of a frame is the command one frame later."""
        commands = np.stack(self.commands)
        return Episode(
            images={name: np.stack(images) for name, images in self.images.items()},
            state=np.stack(self.states),
            action=np.concatenate([commands[1:], commands[-1:]]),
            clean=np.array(self.clean),
            task=task,
            instruction=instruction,
            seed=seed,
            success=success,
        )


class _Ending:
    """The moment after success at which an episode ends."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._success_s: float | None = None

    def reached(self) -> bool:
        """Whether the task has been fulfilled for that long; asked once a frame."""
        now = self._cell.time
        if self._success_s is None and self._cell.evaluate().success:
            self._success_s = now
        return self._success_s is not None and now - self._success_s > AFTER_SUCCESS_S


def record_episode(cell: Cell, task: Task, seed: int, split: Split, *, perturb: bool) -> Episode:
    """Let the expert do the task once.

    The robot rests for a random moment first. Resting and disturbed frames are marked as not
    clean. The episode goes on for a moment after success.

    Args:
        cell: reused between episodes.
        task: to be done.
        seed: of the scene and of the disturbances.
        split: of the scene.
        perturb: inject missed grasps, drops, nudges and kicks.
    """
    instruction = cell.reset(task, seed, split)
    rng = scene_rng(f"{task.name}/expert", seed, split)
    expert = task.expert(cell.scene)
    perturber = Perturber(expert, rng) if perturb else None
    recorder = EpisodeRecorder(cell)
    command = cell.command()
    rest_frames = int(rng.integers(1, 8))
    ending = _Ending(cell)
    clean = True
    while cell.time < task.max_episode_s:
        recorder.frame(command, clean)
        resting = len(recorder.states) <= rest_frames
        clean = not resting
        for _ in range(recorder.ticks_per_frame):
            if not resting:
                clean &= perturber is None or perturber.disturb(cell.world)
                pausing = perturber is not None and perturber.pausing
                command = expert.pause() if pausing else expert.act(cell.world)
            cell.step(command)
        if ending.reached():
            break
    return recorder.episode(task.name, instruction, seed, cell.evaluate().success)


def record_intervention(
    cell: Cell, task: Task, seed: int, split: Split, drive: Callable[[EpisodeRecorder], bool]
) -> Episode | None:
    """Let a policy drive for a while, then the expert (DAgger, Ross et al. 2011).

    What the policy did is not clean: its mistakes are to be recovered from, not imitated.

    Args:
        cell: reused between episodes.
        task: to be done.
        seed: of the scene.
        split: of the scene.
        drive: resets the cell to the scene, moves it and shows every frame to the recorder, but
            for the one at which it hands over; returns whether the expert is still needed.

    Returns:
        The episode, None where the expert was not needed.
    """
    recorder = EpisodeRecorder(cell)
    if not drive(recorder):
        return None
    expert = task.expert(cell.scene)
    try:
        expert.take_over(cell.command(), cell.velocities(), cell.world)
    except UnreachableError:
        recorder.frame(cell.command(), clean=False)
        return recorder.episode(task.name, cell.scene.instruction, seed, False)
    ends_s = cell.time + task.max_episode_s
    ending = _Ending(cell)
    clean = False
    while cell.time < ends_s:
        recorder.frame(cell.command(), clean)
        for _ in range(recorder.ticks_per_frame):
            cell.step(expert.act(cell.world))
        clean = True
        if ending.reached():
            break
    return recorder.episode(task.name, cell.scene.instruction, seed, cell.evaluate().success)


def record_random_motion(cell: Cell, seed: int, split: Split) -> Episode:
    """Both arms wander over their halves of the table, for inverse dynamics.

    The scene is of a task chosen by the seed; nothing is to be achieved.
    """
    rng = scene_rng("random_motion", seed, split)
    task = RANDOM_MOTION_TASKS[int(rng.integers(len(RANDOM_MOTION_TASKS)))]
    cell.reset(find_task(task), seed, split)
    arms = {side: ArmSetpoint(side, cell.scene.home[side], HOME_OPENING_M) for side in SIDES}
    goals = {side: arm.position.copy() for side, arm in arms.items()}
    openings = dict.fromkeys(SIDES, HOME_OPENING_M)
    wobble = np.zeros(7)
    recorder = EpisodeRecorder(cell)
    command = cell.command()
    while cell.time < RANDOM_MOTION_S:
        recorder.frame(command, clean=True)
        for side, sign in (("left", 1.0), ("right", -1.0)):
            if np.linalg.norm(goals[side] - arms[side].position) < 0.02 or rng.random() < 0.03:
                goals[side] = np.array(
                    [
                        rng.uniform(-0.16, 0.16),
                        sign * rng.uniform(0.03, 0.34),
                        rng.uniform(0.035, 0.27),
                    ]
                )
            if rng.random() < 0.12:
                openings[side] = float(rng.choice([0.004, 0.01, 0.045, rng.uniform(0.0, 0.05)]))
        for _ in range(recorder.ticks_per_frame):
            wobble = 0.995 * wobble + rng.normal(0.0, 0.003, 7)
            for side, arm in arms.items():
                arm.advance(goals[side], openings[side], CONTROL_PERIOD_S)
            command = np.concatenate([arms[side].command() for side in SIDES])
            command[:6] += wobble[:6]
            command[7:13] += wobble[:6][::-1]
            cell.step(command)
    return recorder.episode("random_motion", "move at random", seed, True)

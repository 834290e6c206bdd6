"""One episode in process: cell, controller, policy and scheduler in simulated time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..cell.controller import (
    ControllerParameters,
    Generation,
    JointState,
    JointTrajectoryController,
)
from ..cell.simulation import Cell
from ..cell.task import Split, Task
from ..cell.timing import CONTROL_PERIOD_S
from ..context.mosaic import compose_mosaic
from ..leapfrog.limits import JointLimits
from ..leapfrog.messages import Chunk, Decision, Frame, Mode, Request
from ..leapfrog.parameters import LeapfrogParameters
from .metrics import CommandSteps
from .policy import Imagined, Policy
from .report import EpisodeOutcome
from .schedulers.interface import Scheduler
from .schedulers.registry import LEAPFROG, make_scheduler

RESET_S = 1.0
"""On a clock that runs on: from the end of one episode to the beginning of the next."""


class Watcher(Protocol):
    """Is shown what happens in an episode; see `video.EpisodeVideo`."""

    def imagined(self, clip: np.ndarray, frame_index: int, committed_frames: int) -> None:
        """A clip became motion: uint8 [H, h, w, 3] after frame_index."""

    def frame(self, images: Mapping[str, np.ndarray], frame_index: int, caption: str) -> None:
        """A frame of the cameras, native size."""


@dataclass(frozen=True)
class LoopSettings:
    """How an episode is run.

    Attributes:
        latency_s: from a frame to the arrival of its chunk, s.
        jitter_s: standard deviation added to it, drawn from the scene's seed.
        max_seconds: an episode without success ends then.
        scheduler: name in `schedulers.registry.SCHEDULERS`.
        leapfrog: timing of the scheduler, whichever it is; its period is that of the frames.
        generation: of the joint_trajectory_controller.
    """

    latency_s: float = 0.25
    jitter_s: float = 0.0
    max_seconds: float = 20.0
    scheduler: str = LEAPFROG
    leapfrog: LeapfrogParameters = field(default_factory=LeapfrogParameters)
    generation: Generation = Generation.JAZZY


@dataclass(frozen=True)
class _Answer:
    due: float
    request: Request
    imagined: Imagined


class ClosedLoop:
    """Runs episodes of one task, one after the other.

    Each episode has a scheduler of its own, at time 0. With a `scheduler` given, that one serves
    all of them, engaged anew, in one session each, on a clock that runs on: as on a robot.
    """

    def __init__(
        self,
        cell: Cell,
        policy: Policy,
        limits: JointLimits,
        settings: LoopSettings,
        scheduler: Scheduler | None = None,
    ) -> None:
        self._cell = cell
        self._policy = policy
        self._limits = limits
        self._settings = settings
        self._lasting = scheduler
        self._start, self._session = 0.0, 1
        self._episode: _Episode | None = None

    @property
    def pending(self) -> int:
        """Answers of the newest episode that had not arrived yet."""
        return self._episode.pending if self._episode else 0

    def run(
        self, task: Task, seed: int, split: Split, watcher: Watcher | None = None
    ) -> EpisodeOutcome:
        """Run one scene until success or the time limit."""
        settings = self._settings
        scheduler = self._lasting or make_scheduler(
            settings.scheduler, settings.leapfrog, self._limits, self._cell.spec.joint_names
        )
        self._episode = _Episode(
            self._cell,
            self._policy,
            scheduler,
            self._limits,
            settings,
            watcher,
            self._start,
            self._session,
        )
        outcome = self._episode.run(task, seed, split)
        if self._lasting is not None:
            self._start += outcome.duration_s + RESET_S
            self._session += 1
        return outcome


class _Episode:
    def __init__(
        self,
        cell: Cell,
        policy: Policy,
        scheduler: Scheduler,
        limits: JointLimits,
        settings: LoopSettings,
        watcher: Watcher | None,
        start: float,
        session: int,
    ) -> None:
        names = cell.spec.joint_names
        self._cell, self._policy, self._settings, self._watcher = cell, policy, settings, watcher
        self._scheduler, self._start, self._session = scheduler, start, session
        self._controller = JointTrajectoryController(
            names,
            settings.generation,
            ControllerParameters(
                interpolate_from_desired_state=True,
                allow_trajectory_replacement=False,
                update_rate=round(1 / CONTROL_PERIOD_S),
            ),
        )
        self._steps = CommandSteps(limits, CONTROL_PERIOD_S)
        self._pending: list[_Answer] = []
        self._latencies: list[float] = []
        self._compute: list[float] = []

    @property
    def pending(self) -> int:
        """Answers that have not arrived yet."""
        return len(self._pending)

    def run(self, task: Task, seed: int, split: Split) -> EpisodeOutcome:
        cell = self._cell
        instruction = cell.reset(task, seed, split)
        self._policy.begin(seed, instruction)
        # The policy may have used the cell for a recording of its own.
        cell.reset(task, seed, split)
        self._rng = np.random.default_rng(seed)
        self._scheduler.engage(self._start, cell.command())
        period = self._settings.leapfrog.frame_period_s
        ticks_per_frame = round(period / CONTROL_PERIOD_S)
        frames = round(self._settings.max_seconds / period)
        for tick in range(frames * ticks_per_frame):
            now = self._start + tick * CONTROL_PERIOD_S
            self._deliver(now)
            if tick % ticks_per_frame == 0:
                if cell.evaluate().success:
                    break
                self._see(tick // ticks_per_frame, now)
            self._tick(now, cell.command() if tick == 0 else cell.positions())
        return self._outcome(seed, cell.time)

    def _tick(self, now: float, positions: np.ndarray) -> None:
        """One controller period; the controller starts from what is commanded already."""
        self._scheduler.on_joint_states(now, positions)
        self._submit(self._scheduler.watch(now), now)
        measured = JointState(positions, self._cell.velocities())
        command = self._controller.update(now, measured)
        self._steps.add(command)
        self._cell.step(command)

    def _see(self, index: int, now: float) -> None:
        """A frame: show it to policy, scheduler and watcher; start on a request."""
        cell = self._cell
        images = {camera.name: cell.render(camera.name) for camera in cell.spec.cameras}
        started = time.perf_counter()
        self._policy.observe(compose_mosaic(images, cell.spec), cell.positions())
        observed = time.perf_counter() - started
        self._submit(self._scheduler.on_frame(Frame(self._session, index, now), now), now)
        if self._pending and self._pending[-1].request.frame_index == index:
            self._compute[-1] += observed
        if self._watcher is not None:
            state = self._scheduler.state
            mode = Mode(state.mode).name.lower()
            caption = f"{now - self._start:4.1f} s  {mode}  {state.predictions} predictions"
            self._watcher.frame(images, index, caption)

    def _submit(self, decision: Decision, now: float) -> None:
        """Do what the scheduler decided."""
        if decision.trajectory is not None:
            refusal = self._controller.submit(decision.trajectory, now)
            if refusal is not None:
                self._scheduler.state.refusals[f"controller: {refusal}"] += 1
        if decision.request is not None:
            request = decision.request
            started = time.perf_counter()
            imagined = self._policy.imagine(request.committed, request.guidance)
            self._compute.append(time.perf_counter() - started)
            settings = self._settings
            latency = max(0.0, self._rng.normal(settings.latency_s, settings.jitter_s))
            self._pending.append(_Answer(now + latency, request, imagined))

    def _deliver(self, now: float) -> None:
        """Hand over the chunks whose time has come."""
        for answer in [a for a in self._pending if a.due <= now + 1e-9]:
            self._pending.remove(answer)
            request = answer.request
            chunk = Chunk(
                session=request.session,
                request_id=request.request_id,
                chunk_id=request.request_id,
                frame_index=request.frame_index,
                joint_names=self._cell.spec.joint_names,
                targets=answer.imagined.targets,
            )
            decision = self._scheduler.accept(chunk, now)
            self._submit(decision, now)
            if decision.trajectory is not None:
                self._latencies.append(now - request.stamp)
                clip = answer.imagined.clip
                if self._watcher is not None and clip is not None:
                    self._watcher.imagined(clip, request.frame_index, len(request.committed))

    def _outcome(self, seed: int, duration_s: float) -> EpisodeOutcome:
        result, state, steps = self._cell.evaluate(), self._scheduler.state, self._steps
        return EpisodeOutcome(
            seed=seed,
            success=result.success,
            outcome=result.outcome,
            duration_s=duration_s,
            predictions=state.predictions,
            latencies_s=tuple(self._latencies),
            compute_s=tuple(self._compute),
            idle_s=state.idle_s(self._start + duration_s),
            max_position_step_rad=steps.position_step_rad,
            max_velocity_step_rad_s=steps.velocity_step_rad_s,
            max_gripper_position_step_m=steps.gripper_position_step_m,
            max_gripper_velocity_step_m_s=steps.gripper_velocity_step_m_s,
            velocity_step_ratio=steps.velocity_ratio,
            consumed_ticks=state.consumed_ticks,
            refusals=dict(state.refusals),
            rms_jerk_rad_s3=steps.rms_jerk_rad_s3,
            moving_s=steps.moving_s,
        )

"""Many episodes in process, over several worker processes."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from ..cell.simulation import Cell
from ..cell.task import Split
from ..cell.tasks import find_task
from ..data.cell_episodes import record_episode
from ..data.episodes import Episode
from ..errors import UserError
from ..leapfrog.limits import JointLimits
from ..leapfrog.messages import RefusedError
from ..leapfrog.parameters import LeapfrogParameters
from ..resources import config_path
from .closed_loop import ClosedLoop, LoopSettings, Watcher
from .oracle import ExpertChunks, OracleChunks
from .policy import Policy, load_model_policy
from .report import EpisodeOutcome, EvaluationOptions, EvaluationReport
from .schedulers.interface import Scheduler
from .schedulers.registry import SCHEDULERS
from .schedulers.timing import scheduler_timing
from .video import EpisodeVideo

SchedulerFactory = Callable[[LeapfrogParameters, JointLimits, Sequence[str]], Scheduler]


def run_evaluation(
    options: EvaluationOptions, report: Callable[[EpisodeOutcome], None]
) -> EvaluationReport:
    """Run all scenes; `report` is called in this process for every finished episode.

    An interruption (Ctrl-C) ends the run; the report then holds the episodes so far.

    Raises:
        UserError: unknown task, checkpoint that does not fit, or a worker that died.
    """
    started = time.monotonic()
    outcomes: list[EpisodeOutcome] = []

    def add(_: EvaluationOptions, outcome: EpisodeOutcome) -> None:
        outcomes.append(outcome)
        report(outcome)

    with suppress(KeyboardInterrupt):
        run_episodes([options], options.workers, add)
    outcomes.sort(key=lambda outcome: outcome.seed)
    return EvaluationReport(
        options=options,
        outcomes=tuple(outcomes),
        mode="in-process",
        wall_s=time.monotonic() - started,
        files=tuple(path for path in _files(options) if path.exists()),
    )


def run_episodes(
    jobs: Sequence[EvaluationOptions],
    workers: int,
    report: Callable[[EvaluationOptions, EpisodeOutcome], None],
) -> None:
    """Run all scenes of all jobs, one job after the other; scenes of one finish in any order.

    `report` is called in this process for every finished episode. KeyboardInterrupt and what
    `run_evaluation` raises go through.
    """
    for options in jobs:
        find_task(options.task)
        if options.scheduler not in SCHEDULERS:
            raise UserError(
                f"unknown scheduler '{options.scheduler}'; there are: {', '.join(SCHEDULERS)}"
            )
    if workers > 1:
        _run_processes(jobs, workers, report)
        return
    for options in jobs:
        worker = Worker(options)
        for seed in options.seeds:
            report(options, worker.run(seed))
        worker.close()


class Worker:
    """Cell, models and loop of one process.

    Attributes:
        options: what is run; seeds are given to `run` one by one.
        lasting: the scheduler that serves all scenes, or None.
        loop: that episodes run in.
    """

    def __init__(
        self, options: EvaluationOptions, lasting: SchedulerFactory | None = None
    ) -> None:
        """`lasting` makes one scheduler for all scenes; without it every scene has its own."""
        self.options = options
        self._cell = Cell()
        self._task = find_task(options.task)
        self._split = cast(Split, options.split)
        parameters, policy = self._policy()
        parameters = parameters.slowed(options.time_scaling)
        if options.lead_s is not None:
            parameters = replace(parameters, lead_s=options.lead_s)
        limits = JointLimits.load(config_path("joint_limits"), self._cell.spec.joint_names)
        self._refusal = ""
        try:
            parameters = scheduler_timing(
                options.scheduler, parameters, options.latency_s, options.jitter_s
            )
        except RefusedError as refusal:
            self._refusal = f"refused to engage: {refusal}"
        settings = LoopSettings(
            latency_s=options.latency_s,
            jitter_s=options.jitter_s,
            max_seconds=options.max_seconds,
            scheduler=options.scheduler,
            leapfrog=parameters,
        )
        names = self._cell.spec.joint_names
        self.lasting = lasting(parameters, limits, names) if lasting else None
        self.loop = ClosedLoop(self._cell, policy, limits, settings, self.lasting)

    def close(self) -> None:
        """Free the cell's renderers."""
        self._cell.close()

    def run(self, seed: int, watcher: Watcher | None = None) -> EpisodeOutcome:
        """One scene; a scheduler that refuses to engage leaves the robot where it is."""
        options = self.options
        if self._refusal:
            return EpisodeOutcome(seed, False, self._refusal, options.max_seconds, 0)
        path = options.video
        if path is None or seed != options.seed:
            return self.loop.run(self._task, seed, self._split, watcher)
        spec = self._cell.spec.slowed(options.time_scaling)
        with EpisodeVideo(path, spec, f"{self._task.name}, scene {seed}") as video:
            outcome = self.loop.run(self._task, seed, self._split, video)
            video.finish(outcome.success, outcome.outcome)
        return outcome

    def _policy(self) -> tuple[LeapfrogParameters, Policy]:
        """The policy that the options name, and the timing for its horizon."""
        options, spec = self.options, self._cell.spec
        parameters = LeapfrogParameters(frame_period_s=spec.frame_period_s)
        if options.policy == "expert-replay":
            return parameters, OracleChunks(self._record, parameters.horizon)
        if options.policy == "expert":
            return parameters, ExpertChunks(self._cell, parameters.horizon)
        loaded = load_model_policy(
            options.models,
            spec,
            num_steps=options.num_steps,
            context_frames=options.context_frames,
        )
        return loaded.leapfrog, loaded.policy

    def _record(self, seed: int) -> Episode:
        return record_episode(self._cell, self._task, seed, self._split, perturb=False)


_worker: Worker | None = None


def _run_seed(options: EvaluationOptions, seed: int) -> EpisodeOutcome:
    """In a worker process, which makes its worker for the first scene of a job."""
    global _worker
    if _worker is None or _worker.options != options:
        if _worker is not None:
            _worker.close()
        _worker = Worker(options)
    return _worker.run(seed)


def _run_processes(
    jobs: Sequence[EvaluationOptions],
    workers: int,
    report: Callable[[EvaluationOptions, EpisodeOutcome], None],
) -> None:
    pool = ProcessPoolExecutor(
        min(workers, sum(options.episodes for options in jobs)),
        mp_context=multiprocessing.get_context("spawn"),
    )
    try:
        futures: dict[Future[EpisodeOutcome], EvaluationOptions] = {
            pool.submit(_run_seed, options, seed): options
            for options in jobs
            for seed in options.seeds
        }
        for future in as_completed(futures):
            report(futures[future], future.result())
    except BrokenProcessPool as error:
        raise UserError(
            "an evaluation process died: its message is above; if there is none, memory may "
            "have run out, and --workers 1 needs less"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _files(options: EvaluationOptions) -> list[Path]:
    return [] if options.video is None else [options.video, options.video.with_suffix(".png")]

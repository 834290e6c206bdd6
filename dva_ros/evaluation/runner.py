"""Many episodes in process, over several worker processes."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import cast

from ..cell.recording import record_episode
from ..cell.simulation import Cell
from ..cell.tasks import TASKS, Split
from ..errors import UserError
from ..leapfrog.limits import JointLimits
from ..leapfrog.parameters import LeapfrogParameters
from ..resources import config_path
from ..training.episodes import Episode
from .closed_loop import ClosedLoop, LoopSettings
from .oracle import OracleChunks
from .policy import Policy, load_model_policy
from .report import EpisodeOutcome, EvaluationOptions, EvaluationReport
from .video import EpisodeVideo


def run_evaluation(
    options: EvaluationOptions, report: Callable[[EpisodeOutcome], None]
) -> EvaluationReport:
    """Run all scenes; `report` is called in this process for every finished episode.

    An interruption (Ctrl-C) ends the run; the report then holds the episodes so far.

    Raises:
        UserError: unknown task, checkpoint that does not fit, or a worker that died.
    """
    if options.task not in TASKS:
        raise UserError(f"unknown task '{options.task}'; there are: {', '.join(TASKS)}")
    started = time.monotonic()
    outcomes: list[EpisodeOutcome] = []
    try:
        if options.workers == 1:
            worker = _Worker(options)
            for seed in options.seeds:
                outcomes.append(worker.run(seed))
                report(outcomes[-1])
        else:
            _run_processes(options, outcomes, report)
    except KeyboardInterrupt:
        pass
    outcomes.sort(key=lambda outcome: outcome.seed)
    return EvaluationReport(
        options=options,
        outcomes=tuple(outcomes),
        mode="in-process",
        wall_s=time.monotonic() - started,
        files=tuple(path for path in _files(options) if path.exists()),
    )


class _Worker:
    """Cell, models and loop of one process."""

    def __init__(self, options: EvaluationOptions) -> None:
        self._options = options
        self._cell = Cell()
        self._task = TASKS[options.task]
        self._split = cast(Split, options.split)
        parameters, policy = self._policy()
        limits = JointLimits.load(config_path("joint_limits"), self._cell.spec.joint_names)
        settings = LoopSettings(
            latency_s=options.latency_s,
            jitter_s=options.jitter_s,
            max_seconds=options.max_seconds,
            leapfrog=parameters,
        )
        self._loop = ClosedLoop(self._cell, policy, limits, settings)

    def run(self, seed: int) -> EpisodeOutcome:
        path = self._options.video
        if path is None or seed != self._options.seed:
            return self._loop.run(self._task, seed, self._split)
        spec = self._cell.spec
        with EpisodeVideo(path, spec, f"{self._task.name}, scene {seed}") as video:
            outcome = self._loop.run(self._task, seed, self._split, video)
            video.finish(outcome.success, outcome.outcome)
        return outcome

    def _policy(self) -> tuple[LeapfrogParameters, Policy]:
        """The policy that the options name, and the timing for its horizon."""
        options, spec = self._options, self._cell.spec
        if options.policy == "expert-replay":
            parameters = LeapfrogParameters(frame_period_s=spec.frame_period_s)
            return parameters, OracleChunks(self._record, parameters.horizon)
        loaded = load_model_policy(
            options.models,
            spec,
            num_steps=options.num_steps,
            context_frames=options.context_frames,
        )
        return loaded.leapfrog, loaded.policy

    def _record(self, seed: int) -> Episode:
        return record_episode(self._cell, self._task, seed, self._split, perturb=False)


_worker: _Worker | None = None


def _run_seed(options: EvaluationOptions, seed: int) -> EpisodeOutcome:
    """In a worker process, which makes its worker for its first scene."""
    global _worker
    if _worker is None:
        _worker = _Worker(options)
    return _worker.run(seed)


def _run_processes(
    options: EvaluationOptions,
    outcomes: list[EpisodeOutcome],
    report: Callable[[EpisodeOutcome], None],
) -> None:
    pool = ProcessPoolExecutor(
        min(options.workers, options.episodes),
        mp_context=multiprocessing.get_context("spawn"),
    )
    try:
        futures: list[Future[EpisodeOutcome]] = [
            pool.submit(_run_seed, options, seed) for seed in options.seeds
        ]
        for future in as_completed(futures):
            outcomes.append(future.result())
            report(outcomes[-1])
    except BrokenProcessPool as error:
        raise UserError(
            "an evaluation process died: its message is above; if there is none, memory may "
            "have run out, and --workers 1 needs less"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _files(options: EvaluationOptions) -> list[Path]:
    return [] if options.video is None else [options.video, options.video.with_suffix(".png")]

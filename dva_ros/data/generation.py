"""Records episodes in several processes into one LeRobot dataset; can be interrupted and resumed.

Episodes are recorded in shards. On leaving, for whatever reason, the finished shards are
assembled into the dataset: a partial one is readable, and the same call goes on from there.
"""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from ..errors import UserError
from ..spec import CellSpec
from .episodes import Episode
from .generation_plan import (
    WORK_FOLDER,
    EpisodeJob,
    GenerationConfig,
    GenerationResult,
    begin,
    finalise,
    finished_result,
    remove_unfinished,
    remove_work,
)
from .shards import read_summaries, write_shard


class Recorder(Protocol):
    """Lives in a worker process and records one episode after the other."""

    def record(self, job: EpisodeJob) -> Episode | None:
        """Record one episode, None if nothing is to be seen; the same job gives the same."""


RecorderFactory = Callable[[], Recorder]
"""Makes the recorder inside a worker process; must be picklable."""


@dataclass(frozen=True)
class Recorded:
    """Progress: episodes of a finished shard found on resuming, or one just recorded.

    `skipped` scenes gave none.
    """

    episodes: int
    succeeded: int
    frames: int
    resumed: bool
    skipped: int = 0


@dataclass(frozen=True)
class _Failure:
    message: str


@dataclass(frozen=True)
class _Finished:
    """A worker has no more shards to do."""


class GenerationStoppedError(UserError):
    """Generation ended early; the message says why and what is kept."""


def generate(
    root: Path,
    config: GenerationConfig,
    spec: CellSpec,
    make_recorder: RecorderFactory,
    workers: int,
    report: Callable[[Recorded], None],
) -> GenerationResult:
    """Record what is missing of the dataset at `root` and assemble it.

    Args:
        root: the dataset's folder.
        config: what to record; must be that of an earlier call on the same folder.
        spec: joints, cameras and period.
        make_recorder: called once in every worker process.
        workers: number of processes.
        report: called in this process for every episode.

    Returns:
        What the dataset holds; at once where it was complete before.

    Raises:
        UserError: another configuration, too little space, or another process at work there.
        GenerationStoppedError: interrupted, disk full, or a worker failed; what was finished is
            assembled and kept.
    """
    begin(root, config)
    with _only_process(root):
        result = finished_result(root)
        if result is not None:
            remove_work(root)
            return result
        remove_unfinished(root)
        summaries = read_summaries(root / WORK_FOLDER)
        shards = dict(enumerate(config.jobs()))
        for number, summary in summaries.items():
            recorded = summary.recorded
            skipped = len(shards.pop(number)) - recorded
            report(Recorded(recorded, summary.succeeded, summary.frames, True, skipped))
        reason = _record(root, config, spec, shards, make_recorder, workers, report)
        remove_unfinished(root)
        try:
            result = finalise(root, config, spec)
        except OSError as error:
            reason = reason or _explain(error)
            raise GenerationStoppedError(
                f"{reason}; the finished shards in {root / WORK_FOLDER} are kept: free some "
                "space and run the same command again"
            ) from error
        if reason is not None:
            raise GenerationStoppedError(
                f"{reason}; {result.kept} episodes are kept in {root}: "
                "run the same command again to go on"
            )
        return result


def _record(
    root: Path,
    config: GenerationConfig,
    spec: CellSpec,
    shards: dict[int, list[EpisodeJob]],
    make_recorder: RecorderFactory,
    workers: int,
    report: Callable[[Recorded], None],
) -> str | None:
    """Record shards in processes; returns why that ended early, or None."""
    if not shards:
        return None
    context = multiprocessing.get_context("spawn")
    work: Any = context.Queue()
    events: Any = context.Queue()
    for item in shards.items():
        work.put(item)
    count = min(workers, len(shards))
    for _ in range(count):
        work.put(None)
    arguments = (root, config, spec, make_recorder, work, events)
    processes = [
        context.Process(target=_worker, args=arguments, daemon=True) for _ in range(count)
    ]
    try:
        for process in processes:
            process.start()
        return _follow(processes, events, report)
    except KeyboardInterrupt:
        return "interrupted"
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
        for process in processes:
            process.join()
        work.cancel_join_thread()


def _follow(
    processes: Sequence[BaseProcess], events: Any, report: Callable[[Recorded], None]
) -> str | None:
    running = len(processes)
    while running:
        try:
            event = events.get(timeout=1.0)
        except queue.Empty:
            event = None
        dead = [process for process in processes if process.exitcode not in (None, 0)]
        if dead:
            code = dead[0].exitcode
            return f"a recording process died (exit code {code}; out of memory or killed?)"
        if isinstance(event, _Failure):
            return event.message
        if isinstance(event, _Finished):
            running -= 1
        elif event is not None:
            report(event)
    return None


def _worker(
    root: Path,
    config: GenerationConfig,
    spec: CellSpec,
    make_recorder: RecorderFactory,
    work: Any,
    events: Any,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the workers
    doing = "preparing the cell"
    try:
        recorder = make_recorder()
        for number, jobs in iter(work.get, None):
            kept, succeeded, recorded = [], 0, 0
            for job in jobs:
                _leave_if_orphaned()
                doing = f"recording {job.task} with seed {job.seed}"
                episode = recorder.record(job)
                if episode is None:
                    events.put(Recorded(0, 0, 0, resumed=False, skipped=1))
                    continue
                recorded += 1
                succeeded += episode.success
                if config.keeps(episode):
                    kept.append(episode)
                events.put(Recorded(1, int(episode.success), episode.num_frames, resumed=False))
            doing = f"writing shard {number}"
            write_shard(root / WORK_FOLDER, number, kept, recorded, succeeded, config.split, spec)
        events.put(_Finished())
    except Exception as error:
        events.put(_Failure(f"{doing} failed: {_explain(error)}"))


def _leave_if_orphaned() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)


def _explain(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    return f"{type(error).__name__}: {error}"


@contextmanager
def _only_process(root: Path) -> Iterator[None]:
    lock = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another `generate` is at work in {root}; wait for it") from error
        yield
    finally:
        os.close(lock)

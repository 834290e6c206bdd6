"""What is measured while episodes run one after the other for a long time."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..leapfrog.limits import JointLimits
from ..leapfrog.messages import Chunk, Decision, Frame
from ..leapfrog.parameters import LeapfrogParameters
from ..leapfrog.scheduler import Leapfrog
from ..leapfrog.shaping import cached_programs
from .closed_loop import ClosedLoop
from .report import EpisodeOutcome

_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


class TimedLeapfrog(Leapfrog):
    """The scheduler; its calls are timed on the wall clock.

    Attributes:
        chunk_s: seconds of every `accept` since times were forgotten.
        tick_s: the same of all other calls that a loop makes.
    """

    def __init__(
        self, parameters: LeapfrogParameters, limits: JointLimits, joint_names: Sequence[str]
    ) -> None:
        super().__init__(parameters, limits, joint_names)
        self.forget_times()

    def forget_times(self) -> None:
        """Begin anew."""
        self.chunk_s: list[float] = []
        self.tick_s: list[float] = []

    def accept(self, chunk: Chunk, now: float) -> Decision:
        """See `Leapfrog.accept`."""
        with _timed(self.chunk_s):
            return super().accept(chunk, now)

    def on_frame(self, frame: Frame, now: float) -> Decision:
        """See `Leapfrog.on_frame`."""
        with _timed(self.tick_s):
            return super().on_frame(frame, now)

    def on_joint_states(self, now: float, positions: np.ndarray) -> Decision:
        """See `Leapfrog.on_joint_states`."""
        with _timed(self.tick_s):
            return super().on_joint_states(now, positions)

    def watch(self, now: float) -> Decision:
        """See `Leapfrog.watch`."""
        with _timed(self.tick_s):
            return super().watch(now)


@dataclass(frozen=True)
class Window:
    """One stretch of simulated time.

    Attributes:
        end_s: seconds of simulated operation at its end.
        memory_mb: resident memory at its end, garbage collected.
        python_objects: containers that Python keeps track of, at its end.
        open_files: file descriptors at its end.
        threads: at its end.
        chunk_p50_ms, chunk_p99_ms: real time of the scheduler for a chunk.
        tick_p50_ms, tick_p99_ms: real time of its other calls: frames, joint states, watching.
        pending_answers: greatest number of answers on their way.
        motion_knots: greatest number of knots of the motion that the scheduler keeps.
        latency_samples: latencies that it keeps.
        cached_programs: programs that it keeps for motions of other lengths.
        refusal_kinds: greatest number of kinds of refusals that it counts.
        episodes, successes, predictions, refusals: of the episodes that ended in the window.
        idle_s: of these, idle time.
    """

    end_s: float
    memory_mb: float
    python_objects: float
    open_files: float
    threads: float
    chunk_p50_ms: float
    chunk_p99_ms: float
    tick_p50_ms: float
    tick_p99_ms: float
    pending_answers: float
    motion_knots: float
    latency_samples: float
    cached_programs: float
    refusal_kinds: float
    episodes: int
    successes: int
    predictions: int
    refusals: int
    idle_s: float


@dataclass
class Meter:
    """Watches a loop frame by frame and closes windows; a `closed_loop.Watcher`.

    Attributes:
        loop: that runs.
        scheduler: that serves it.
        frame_s: simulated time of a frame.
        window_s: of a window.
        advance: called at every frame with `frame_s`.
        windows: so far.
        elapsed_s: simulated operation so far.
        episodes, successes: ended so far.
        idle_s: of these, idle time.
        refused: of these, reason -> chunks that were not executed.
    """

    loop: ClosedLoop
    scheduler: TimedLeapfrog
    frame_s: float
    window_s: float
    advance: Callable[[float], object]
    windows: list[Window] = field(default_factory=list)
    elapsed_s: float = 0.0
    episodes: int = 0
    successes: int = 0
    idle_s: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._begin()

    def imagined(self, clip: np.ndarray, frame_index: int, committed_frames: int) -> None:
        """A clip became motion; nothing of it is kept."""

    def frame(self, images: Mapping[str, np.ndarray], frame_index: int, caption: str) -> None:
        """Look at all lengths; close the window where its time is over."""
        state = self.scheduler.state
        self._longest("pending_answers", self.loop.pending)
        self._longest("motion_knots", len(state.motion.times))
        self._longest("latency_samples", state.budget.latency.count)
        self._longest("cached_programs", cached_programs())
        self._longest("refusal_kinds", len(state.refusals))
        self.elapsed_s += self.frame_s
        self.advance(self.frame_s)
        if self.elapsed_s > (len(self.windows) + 1) * self.window_s - 1e-6:
            self.windows.append(self._window())
            self._begin()

    def episode(self, outcome: EpisodeOutcome) -> None:
        """An episode has ended."""
        self.episodes += 1
        self.successes += outcome.success
        self.idle_s += outcome.idle_s
        self.refused.update(outcome.refusals)
        self._ended.append(outcome)

    def _begin(self) -> None:
        self.scheduler.forget_times()
        self._lengths: dict[str, float] = {}
        self._ended: list[EpisodeOutcome] = []

    def _longest(self, name: str, length: int) -> None:
        self._lengths[name] = max(self._lengths.get(name, 0.0), float(length))

    def _window(self) -> Window:
        gc.collect()
        ended, scheduler = self._ended, self.scheduler
        return Window(
            end_s=self.elapsed_s,
            memory_mb=int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MB,
            python_objects=float(len(gc.get_objects())),
            open_files=float(len(os.listdir("/proc/self/fd"))),
            threads=float(len(os.listdir("/proc/self/task"))),
            chunk_p50_ms=_percentile_ms(scheduler.chunk_s, 50),
            chunk_p99_ms=_percentile_ms(scheduler.chunk_s, 99),
            tick_p50_ms=_percentile_ms(scheduler.tick_s, 50),
            tick_p99_ms=_percentile_ms(scheduler.tick_s, 99),
            **self._lengths,
            episodes=len(ended),
            successes=sum(outcome.success for outcome in ended),
            predictions=sum(outcome.predictions for outcome in ended),
            refusals=sum(sum(outcome.refusals.values()) for outcome in ended),
            idle_s=sum(outcome.idle_s for outcome in ended),
        )


@contextmanager
def _timed(times: list[float]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    times.append(time.perf_counter() - started)


def _percentile_ms(seconds: list[float], q: float) -> float:
    """NaN without a value."""
    return 1e3 * float(np.percentile(seconds, q)) if seconds else float("nan")

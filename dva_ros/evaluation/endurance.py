"""Simulated operation for a long time: does memory, latency or a queue grow?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from .endurance_meter import Meter, TimedLeapfrog, Window
from .growth import Bound, Growth, growth
from .report import EvaluationOptions, PolicyName
from .runner import Worker

_WINDOWS = 60
_LEAST_WINDOW_S = 10.0
_WARM_UP = 0.1
_LEAST_WARM_UP_S = 60.0

BOUNDS = {
    "memory_mb": Bound(32.0),
    "python_objects": Bound(5000.0),
    "open_files": Bound(16.0),
    "threads": Bound(4.0),
    "chunk_p50_ms": Bound(0.5, 0.5),
    "chunk_p99_ms": Bound(5.0, 1.0),
    "tick_p50_ms": Bound(0.02, 0.5),
    "tick_p99_ms": Bound(0.2, 1.0),
    "pending_answers": Bound(2.0, 0.25),
    "motion_knots": Bound(8.0, 0.25),
    "latency_samples": Bound(8.0, 0.25),
    "cached_programs": Bound(16.0, 0.25),
    "refusal_kinds": Bound(4.0, 0.25),
}
"""Growth over the run, after warm-up, beyond which a series of `Window` is taken to leak.

They do not depend on the length of the run: noise does not grow with it, a leak does. An hour has
some 12 000 predictions, 36 000 frames and 500 to 1000 episodes.

Memory: 32 MB in an hour after its warm-up are 3 kB a prediction (a chunk with its motion has
about 10 kB, a clip 120 kB) or 1 kB a frame (a mosaic has 15 kB); the noise, an allocator's
fragmentation, is a few MB. Objects: one kept for every other prediction, or ten for every episode.
Files, threads: one kept in every hundredth episode, or fewer. Queues: one entry kept for every
episode is far beyond any of them. Latency: what searches something that grows becomes many times
slower in an hour; half more of a median, and twice a p99, is what a shared machine does.
"""


@dataclass(frozen=True)
class EnduranceOptions:
    """One run.

    Attributes:
        hours: of simulated operation.
        task, seed, split, latency_s, jitter_s, models, policy, max_seconds: see
            `EvaluationOptions`; `seed` is the first scene's, the others follow.
    """

    task: str
    hours: float
    seed: int
    split: str
    latency_s: float
    jitter_s: float
    models: Path
    policy: PolicyName
    max_seconds: float

    @property
    def duration_s(self) -> float:
        """Simulated operation, s."""
        return 3600.0 * self.hours

    @property
    def window_s(self) -> float:
        """Length of a window of measurements, s."""
        return max(self.duration_s / _WINDOWS, _LEAST_WINDOW_S)

    @property
    def warm_up_s(self) -> float:
        """What is not judged at the beginning, s."""
        return max(_WARM_UP * self.duration_s, _LEAST_WARM_UP_S)

    def evaluation(self) -> EvaluationOptions:
        """What `evaluate` would be asked for."""
        return EvaluationOptions(
            task=self.task,
            episodes=1,
            seed=self.seed,
            split=self.split,
            latency_s=self.latency_s,
            jitter_s=self.jitter_s,
            models=self.models,
            policy=self.policy,
            max_seconds=self.max_seconds,
            workers=1,
        )


@dataclass(frozen=True)
class EnduranceResult:
    """What a run gave.

    Attributes:
        options: what was asked.
        windows: in order; fewer than asked where the run was interrupted.
        simulated_s: operation.
        episodes, successes: ended; the first is scene `options.seed`.
        idle_s: of these, idle time.
        refused: of these, reason -> chunks that were not executed.
        growths: series -> how it grows; None where the run is too short to say.
    """

    options: EnduranceOptions
    windows: tuple[Window, ...]
    simulated_s: float
    episodes: int
    successes: int
    idle_s: float
    refused: dict[str, int]
    growths: dict[str, Growth | None]

    @property
    def whole(self) -> bool:
        """Whether the run reached its end."""
        return self.simulated_s >= self.options.duration_s - 1e-6

    @property
    def leaks(self) -> dict[str, Growth]:
        """The series that grow beyond their bounds."""
        return {name: g for name, g in self.growths.items() if g is not None and g.leaks}


def run_endurance(
    options: EnduranceOptions, advance: Callable[[float], object]
) -> EnduranceResult:
    """Run scene after scene, one scheduler and one clock for all of them.

    Args:
        options: what to run.
        advance: called in every frame with the seconds that it adds to simulated operation.

    Returns:
        What was measured; after an interruption (Ctrl-C) what there is so far.

    Raises:
        UserError: a checkpoint that does not fit, or a latency that the scheduler refuses.
    """
    worker = Worker(options.evaluation(), TimedLeapfrog)
    scheduler = worker.lasting
    assert isinstance(scheduler, TimedLeapfrog)
    frame_s = scheduler.parameters.frame_period_s
    meter = Meter(worker.loop, scheduler, frame_s, options.window_s, advance)
    with suppress(KeyboardInterrupt):
        while meter.elapsed_s < options.duration_s - 1e-6:
            outcome = worker.run(options.seed + meter.episodes, meter)
            if not meter.elapsed_s:
                raise UserError(outcome.outcome)
            meter.episode(outcome)
    worker.close()
    return EnduranceResult(
        options=options,
        windows=tuple(meter.windows),
        simulated_s=meter.elapsed_s,
        episodes=meter.episodes,
        successes=meter.successes,
        idle_s=meter.idle_s,
        refused=dict(meter.refused.most_common()),
        growths=judge(meter.windows, options.warm_up_s),
    )


def judge(windows: list[Window], warm_up_s: float) -> dict[str, Growth | None]:
    """How every bounded series grows after warm-up."""
    judged = [window for window in windows if window.end_s > warm_up_s]
    hours = [window.end_s / 3600.0 for window in judged]
    return {
        name: growth(hours, [getattr(window, name) for window in judged], bound)
        for name, bound in BOUNDS.items()
    }

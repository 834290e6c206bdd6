"""The same scenes under several schedulers and latencies."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from .metrics import pooled_rms_jerk
from .report import EpisodeOutcome, EvaluationOptions, PolicyName, wilson_interval
from .runner import run_episodes
from .speed import speed_for_latency

ROWS_FILE = "rows.json"


@dataclass(frozen=True)
class ComparisonOptions:
    """What is compared on what.

    Attributes:
        schedulers: names in `schedulers.registry.SCHEDULERS`.
        latencies_ms: modelled latencies, from a frame to its chunk's arrival.
        time_scaling: speed at which imagined motion is played; None: as the latency needs it.
        lead_s: time that leapfrog leaves its messages to reach the controller, s.
        task, episodes, seed, split, policy, models, max_seconds: see `EvaluationOptions`.
        workers: processes.
    """

    schedulers: tuple[str, ...]
    latencies_ms: tuple[float, ...]
    time_scaling: float | None
    lead_s: float
    task: str
    episodes: int
    seed: int
    split: str
    policy: PolicyName
    models: Path
    max_seconds: float
    workers: int

    def jobs(self) -> list[EvaluationOptions]:
        """One evaluation for every scheduler at every latency."""
        return [
            EvaluationOptions(
                task=self.task,
                episodes=self.episodes,
                seed=self.seed,
                split=self.split,
                latency_s=latency_ms / 1e3,
                time_scaling=(
                    speed_for_latency(latency_ms / 1e3)
                    if self.time_scaling is None
                    else self.time_scaling
                ),
                lead_s=self.lead_s,
                models=self.models,
                policy=self.policy,
                scheduler=scheduler,
                max_seconds=self.max_seconds,
            )
            for latency_ms in self.latencies_ms
            for scheduler in self.schedulers
        ]

    def common(self) -> dict[str, Any]:
        """What all rows have in common; rows measured under another value do not belong."""
        values = asdict(self)
        for name in ("schedulers", "latencies_ms", "workers"):
            del values[name]
        return {**values, "models": str(self.models)}


@dataclass(frozen=True)
class Row:
    """One scheduler at one latency.

    Attributes:
        scheduler: its name.
        latency_ms: modelled.
        time_scaling: speed at which imagined motion was played.
        episodes: scenes.
        success: share of them that succeeded.
        success_interval_95: Wilson interval of it.
        task_s: mean length of the successful episodes; None without any.
        cycle_s: mean time from one chunk that became motion to the next; None without any.
        idle_s: mean time per episode idle, after the first chunk; all of an
            episode in which none became motion.
        max_position_step_rad, max_velocity_step_rad_s: greatest of all episodes; see `metrics.py`.
        rms_jerk: rad/s^3, arm joints' commands while any of them moves; see `metrics.py`.
        refusal: why the scheduler did not engage; empty if it did.
    """

    scheduler: str
    latency_ms: float
    time_scaling: float
    episodes: int
    success: float
    success_interval_95: tuple[float, float]
    task_s: float | None
    cycle_s: float | None
    idle_s: float
    max_position_step_rad: float
    max_velocity_step_rad_s: float
    rms_jerk: float
    refusal: str

    @staticmethod
    def of(options: EvaluationOptions, outcomes: Sequence[EpisodeOutcome]) -> Row:
        """The figures of one evaluation."""
        count, successes = len(outcomes), [o for o in outcomes if o.success]
        predictions = sum(o.predictions for o in outcomes)
        moving = sum(o.duration_s for o in outcomes if o.predictions)
        refusals = {o.outcome for o in outcomes if o.outcome.startswith("refused to engage")}
        return Row(
            scheduler=options.scheduler,
            latency_ms=1e3 * options.latency_s,
            time_scaling=options.time_scaling,
            episodes=count,
            success=len(successes) / count,
            success_interval_95=wilson_interval(len(successes), count),
            task_s=float(np.mean([o.duration_s for o in successes])) if successes else None,
            cycle_s=moving / predictions if predictions else None,
            idle_s=float(np.mean([o.idle_s if o.predictions else o.duration_s for o in outcomes])),
            max_position_step_rad=max(o.max_position_step_rad for o in outcomes),
            max_velocity_step_rad_s=max(o.max_velocity_step_rad_s for o in outcomes),
            rms_jerk=pooled_rms_jerk(outcomes),
            refusal=next(iter(refusals), ""),
        )


def compare(
    options: ComparisonOptions,
    folder: Path | None,
    report: Callable[[EvaluationOptions, EpisodeOutcome | None], None],
) -> list[Row]:
    """Measure all rows, in the order of `ComparisonOptions.jobs`.

    Args:
        folder: where rows are kept as soon as they are whole; those that it holds already are
            not measured again.
        report: called for every finished episode; with None for every episode of a kept row.

    Returns:
        The rows that are whole: all, or those so far after an interruption (Ctrl-C).

    Raises:
        UserError: see `run_evaluation`; or the folder holds rows of other scenes.
    """
    rows = {} if folder is None else _kept(folder, options)
    missing = []
    for job in options.jobs():
        if _key(job) in rows:
            for _ in job.seeds:
                report(job, None)
        else:
            missing.append(job)
    finished: dict[tuple[str, float], list[EpisodeOutcome]] = {}

    def add(job: EvaluationOptions, outcome: EpisodeOutcome) -> None:
        outcomes = finished.setdefault(_key(job), [])
        outcomes.append(outcome)
        report(job, outcome)
        if len(outcomes) == job.episodes:
            rows[_key(job)] = Row.of(job, outcomes)
            if folder is not None:
                write_rows(folder / ROWS_FILE, options, list(rows.values()))

    with suppress(KeyboardInterrupt):
        run_episodes(missing, options.workers, add)
    return [rows[_key(job)] for job in options.jobs() if _key(job) in rows]


def write_rows(path: Path, options: ComparisonOptions, rows: Sequence[Row]) -> None:
    """Write what was compared and the rows, as JSON; creates the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"common": options.common(), "rows": [asdict(row) for row in rows]}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n")
    partial.replace(path)


def _kept(folder: Path, options: ComparisonOptions) -> dict[tuple[str, float], Row]:
    path = folder / ROWS_FILE
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text())
        common = content["common"]
        rows = [Row(**row) for row in content["rows"]]
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is not a comparison's: {error}; remove it") from error
    wanted = options.common()
    for name, value in wanted.items():
        if common.get(name) != value:
            raise UserError(
                f"{path} was measured with {name} {common.get(name)!r}, asked is {value!r}: "
                "choose another --output"
            )
    return {(row.scheduler, row.latency_ms): row for row in rows}


def _key(job: EvaluationOptions) -> tuple[str, float]:
    return job.scheduler, 1e3 * job.latency_s

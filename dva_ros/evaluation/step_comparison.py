"""The same scenes with fewer and more denoising steps: success beside what a prediction costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from .metrics import pooled_rms_jerk
from .report import EpisodeOutcome, EvaluationOptions, wilson_interval
from .runner import run_episodes


@dataclass(frozen=True)
class StepRow:
    """One checkpoint with one number of denoising steps.

    Attributes:
        models: folder of the checkpoints.
        num_steps: denoising steps.
        episodes: scenes.
        success: share of them that succeeded.
        success_interval_95: Wilson interval of it.
        p50_ms, p99_ms: cost of a prediction with its inverse dynamics, in the evaluation's own
            processes.
        idle_s: mean time per episode idle.
        rms_jerk: rad/s^3; see `metrics.py`.
    """

    models: str
    num_steps: int
    episodes: int
    success: float
    success_interval_95: tuple[float, float]
    p50_ms: float
    p99_ms: float
    idle_s: float
    rms_jerk: float

    @staticmethod
    def of(options: EvaluationOptions, outcomes: Sequence[EpisodeOutcome]) -> StepRow:
        """The figures of one evaluation."""
        assert options.num_steps is not None
        cost_ms = 1e3 * np.concatenate([o.compute_s for o in outcomes])
        successes = sum(o.success for o in outcomes)
        return StepRow(
            models=str(options.models),
            num_steps=options.num_steps,
            episodes=len(outcomes),
            success=successes / len(outcomes),
            success_interval_95=wilson_interval(successes, len(outcomes)),
            p50_ms=float(np.percentile(cost_ms, 50)),
            p99_ms=float(np.percentile(cost_ms, 99)),
            idle_s=float(np.mean([o.idle_s for o in outcomes])),
            rms_jerk=pooled_rms_jerk(outcomes),
        )


def compare_steps(
    jobs: Sequence[EvaluationOptions],
    workers: int,
    report: Callable[[EvaluationOptions, EpisodeOutcome], None],
) -> list[StepRow]:
    """Measure one row a job, in order; `report` hears of every finished episode.

    Raises:
        UserError: see `run_evaluation`.
    """
    outcomes: dict[EvaluationOptions, list[EpisodeOutcome]] = {job: [] for job in jobs}

    def add(job: EvaluationOptions, outcome: EpisodeOutcome) -> None:
        outcomes[job].append(outcome)
        report(job, outcome)

    run_episodes(jobs, workers, add)
    return [StepRow.of(job, outcomes[job]) for job in jobs]


def pareto_front(rows: Sequence[StepRow]) -> list[StepRow]:
    """Rows that no other is better than: at least as successful and as cheap, and one of both
    more so. Cheapest first."""

    def beats(other: StepRow, row: StepRow) -> bool:
        no_worse = other.success >= row.success and other.p50_ms <= row.p50_ms
        return no_worse and (other.success > row.success or other.p50_ms < row.p50_ms)

    front = [row for row in rows if not any(beats(other, row) for other in rows)]
    return sorted(front, key=lambda row: row.p50_ms)


def table(rows: Sequence[StepRow], title: str) -> Table:
    """One line a row; a star marks the Pareto front."""
    front = pareto_front(rows)
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    shown.add_column("models", no_wrap=True)
    for column in ("steps", "prediction ms, p50 / p99", "success (95 %)", "idle s", "RMS jerk"):
        shown.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        low, high = row.success_interval_95
        shown.add_row(
            row.models,
            f"{'* ' if row in front else ''}{row.num_steps}",
            f"{row.p50_ms:.0f} / {row.p99_ms:.0f}",
            f"{row.success:.0%} ({low:.0%} to {high:.0%})",
            f"{row.idle_s:.2f}",
            f"{row.rms_jerk:.0f}",
        )
    return shown


def plot(rows: Sequence[StepRow], path: Path, title: str) -> None:
    """Success over cost, a line for each checkpoint, the number of steps at every point, and the
    Pareto front of all."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for models in dict.fromkeys(row.models for row in rows):
        shown = sorted((r for r in rows if r.models == models), key=lambda row: row.p50_ms)
        success = np.array([row.success for row in shown])
        bounds = np.array([row.success_interval_95 for row in shown])
        axes.errorbar(
            [row.p50_ms for row in shown],
            success,
            yerr=np.abs(bounds - success[:, None]).T,
            fmt="o-",
            capsize=4,
            label=Path(models).name,
        )
        for row in shown:
            axes.annotate(
                f"{row.num_steps}",
                (row.p50_ms, row.success),
                textcoords="offset points",
                xytext=(6, 6),
            )
    front = pareto_front(rows)
    axes.step(
        [row.p50_ms for row in front],
        [row.success for row in front],
        "k:",
        where="post",
        label="Pareto front",
    )
    axes.set(xlabel="a prediction, ms (p50)", ylabel="success", title=title, ylim=(0, 1.03))
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)

"""An endurance run as a table, a picture, a verdict and JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from .endurance import EnduranceResult
from .endurance_meter import Window
from .growth import LEAST_SAMPLES

PLOT_FILE, FIGURES_FILE = "endurance.png", "endurance.json"
TABLE_WIDTH = 90
"""Columns of a terminal that the table needs."""

_LABELS = {
    "memory_mb": "resident memory, MB",
    "python_objects": "Python objects",
    "open_files": "open files",
    "threads": "threads",
    "chunk_p50_ms": "scheduler, a chunk, p50, ms",
    "chunk_p99_ms": "scheduler, a chunk, p99, ms",
    "tick_p50_ms": "scheduler, other calls, p50, ms",
    "tick_p99_ms": "scheduler, other calls, p99, ms",
    "pending_answers": "answers on their way",
    "motion_knots": "knots of the motion",
    "latency_samples": "latencies kept",
    "cached_programs": "programs kept",
    "refusal_kinds": "kinds of refusals",
}
_COUNTS = {
    "episodes": "episodes",
    "successes": "successes",
    "predictions": "predictions",
    "refusals": "refused chunks",
    "idle_s": "idle, s",
}
_PANELS = (
    ("resident memory, MB", ("memory_mb",)),
    ("Python objects", ("python_objects",)),
    ("the scheduler's calls, ms", ("chunk_p50_ms", "chunk_p99_ms", "tick_p50_ms", "tick_p99_ms")),
    ("queues and caches", ("motion_knots", "latency_samples", "cached_programs")),
    ("small counts", ("pending_answers", "refusal_kinds", "open_files", "threads")),
    ("each window", ("episodes", "successes", "refusals", "idle_s")),
)


def title(result: EnduranceResult) -> str:
    """What was run, on which scenes."""
    options, seed = result.options, result.options.seed
    return (
        f"{options.task}, policy {options.policy}, {1e3 * options.latency_s:.0f} ms, split "
        f"'{options.split}', seeds {seed}..{seed + max(result.episodes, 1) - 1}: "
        f"{result.successes}/{result.episodes} in {result.simulated_s / 60:.1f} simulated minutes"
    )


def table(result: EnduranceResult) -> Table:
    """First against last window, and how every series grows after warm-up."""
    shown = Table(box=SIMPLE_HEAD)
    shown.add_column("", no_wrap=True)
    columns = ("first\nwindow", "last\nwindow", "growth\nan hour", "sustained\n(allowed)", "")
    for column in columns:
        shown.add_column(column, justify="right", no_wrap=True)
    if not result.windows:
        return shown
    first, last = result.windows[0], result.windows[-1]
    for name, label in _LABELS.items():
        growth = result.growths[name]
        values = (_figure(getattr(first, name)), _figure(getattr(last, name)))
        if growth is None:
            shown.add_row(label, *values, "-", "-", "")
            continue
        held = f"{_figure(max(growth.sustained, 0.0))} ({_figure(growth.allowed)})"
        verdict = "GROWS" if growth.leaks else "ok"
        shown.add_row(label, *values, f"{growth.per_hour:+.4g}", held, verdict)
    shown.add_section()
    for name, label in _COUNTS.items():
        values = (_figure(getattr(first, name)), _figure(getattr(last, name)))
        shown.add_row(label, *values, "", "", "")
    return shown


def verdict(result: EnduranceResult) -> str:
    """One or more sentences: what grows, that nothing does, or that it is too early to say."""
    if result.leaks:
        return "\n".join(
            f"{_LABELS[name]}: grows by {_figure(growth.sustained)} over the run and goes on "
            f"(allowed: {_figure(growth.allowed)}; fitted: {growth.per_hour:+.4g} an hour)"
            for name, growth in result.leaks.items()
        )
    if any(growth is None for growth in result.growths.values()):
        return (
            f"growth is not judged: the run has fewer than {LEAST_SAMPLES} windows of "
            f"{result.options.window_s:g} s after {result.options.warm_up_s:g} s of warm-up"
        )
    return "nothing grows: memory, latency and queues stay within their bounds"


def plot(result: EnduranceResult, path: Path) -> None:
    """Everything that was sampled, over simulated time; warm-up is shaded."""
    figure = Figure(figsize=(13, 7.5), layout="constrained")
    figure.suptitle(title(result))
    minutes = [window.end_s / 60 for window in result.windows]
    for panel, (heading, names) in zip(figure.subplots(2, 3).flat, _PANELS, strict=True):
        for name in names:
            values = [getattr(window, name) for window in result.windows]
            label = {**_LABELS, **_COUNTS}[name]
            panel.plot(minutes, values, ".-", linewidth=1.0, label=label)
        panel.axvspan(0, result.options.warm_up_s / 60, color="0.92")
        panel.set(title=heading, xlabel="simulated operation, min")
        panel.grid(alpha=0.3)
        if len(names) > 1:
            panel.legend(fontsize="small")
        if heading.endswith("ms"):
            panel.set_yscale("log")
        elif len(names) > 1:
            panel.set_ylim(bottom=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def write_figures(result: EnduranceResult, path: Path) -> None:
    """Everything as JSON; creates the folder. What is not a number is null."""
    options = {**dataclasses.asdict(result.options), "models": str(result.options.models)}
    content = {
        "options": options,
        "simulated_s": result.simulated_s,
        "episodes": result.episodes,
        "successes": result.successes,
        "idle_s": result.idle_s,
        "refused": result.refused,
        "growth": {
            name: growth and {**dataclasses.asdict(growth), "leaks": growth.leaks}
            for name, growth in result.growths.items()
        },
        "windows": [_plain(window) for window in result.windows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def _plain(window: Window) -> dict[str, Any]:
    values = dataclasses.asdict(window)
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _figure(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 and value != int(value) else f"{value:.0f}"

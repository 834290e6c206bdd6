"""A comparison of schedulers as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from .comparison import Row

PLOT_FILE = "comparison.png"
TABLE_WIDTH = 100
"""Columns of a terminal that the table needs."""

_PANELS = (
    ("success", "success", False),
    ("idle_s", "idle time, s per episode", False),
    ("task_s", "length of a successful episode, s", False),
    ("max_position_step_rad", "greatest position step, rad", True),
    ("max_velocity_step_rad_s", "greatest velocity step, rad/s", True),
    ("rms_jerk", "RMS jerk, rad/s³", True),
)


_COLUMNS = (
    "ms",
    "speed",
    "success",
    "task\ns",
    "cycle\ns",
    "idle\ns",
    "position\nstep rad",
    "velocity\nstep rad/s",
    "RMS jerk\nrad/s³",
)


def table(rows: Sequence[Row], title: str) -> Table:
    """One line a row."""
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    shown.add_column("scheduler", no_wrap=True)
    for column in _COLUMNS:
        shown.add_column(column, justify="right", no_wrap=True)
    for i, row in enumerate(rows):
        last = i + 1 == len(rows) or rows[i + 1].latency_ms != row.latency_ms
        shown.add_row(row.scheduler, *_columns(row), end_section=last)
    return shown


def refusals(rows: Sequence[Row]) -> list[str]:
    """Why schedulers did not engage, every reason once."""
    return list(dict.fromkeys(row.refusal for row in rows if row.refusal))


def _columns(row: Row) -> tuple[str, ...]:
    return (f"{row.latency_ms:.0f}", f"{row.time_scaling:.2f}", *_figures(row))


def _figures(row: Row) -> tuple[str, ...]:
    success, idle = f"{row.success:.0%}", f"{row.idle_s:.2f}"
    if row.refusal:
        return ("refused", "-", "-", idle, "-", "-", "-")
    return (
        success,
        "-" if row.task_s is None else f"{row.task_s:.1f}",
        "-" if row.cycle_s is None else f"{row.cycle_s:.2f}",
        idle,
        f"{row.max_position_step_rad:.4f}",
        f"{row.max_velocity_step_rad_s:.3f}",
        f"{row.rms_jerk:.0f}",
    )


def plot(rows: Sequence[Row], path: Path, title: str) -> None:
    """Every figure over latency, a line a scheduler; one that did not engage has no motion."""
    figure = Figure(figsize=(13, 7.5), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(2, 3)
    names = list(dict.fromkeys(row.scheduler for row in rows))
    for panel, (attribute, label, motion) in zip(axes.flat, _PANELS, strict=True):
        for name, marker in zip(names, "os^vD", strict=False):
            shown = [
                row
                for row in sorted(rows, key=lambda row: row.latency_ms)
                if row.scheduler == name
                and getattr(row, attribute) is not None
                and not (motion and row.refusal)
            ]
            panel.plot(
                [row.latency_ms for row in shown],
                [getattr(row, attribute) for row in shown],
                f"{marker}-",
                label=name,
                alpha=0.8,
                linewidth=2.5 if name == "leapfrog" else 1.2,
            )
        panel.set(xlabel="latency, ms", ylabel=label)
        panel.grid(alpha=0.3)
        if attribute == "success":
            panel.set_ylim(-0.03, 1.03)
        elif motion:
            panel.set_yscale("symlog", linthresh=1e-3 if "position" in attribute else 0.1)
    axes.flat[0].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)

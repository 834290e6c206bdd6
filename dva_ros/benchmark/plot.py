"""A benchmark's figures as a picture: time over frames of context."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .report import APPEND, DENOISE, PREDICTION, WHOLE_WAY, BenchmarkReport, ReferenceRow, Row

PLOT_FILE = "benchmark.png"


def plot(report: BenchmarkReport, path: Path) -> None:
    """A panel for every kind of call: lines are p50, the shade above them reaches p99."""
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    figure.suptitle(f"{report.model}\n{report.hardware.describe()}", fontsize=9)
    for panel, what in zip(figure.subplots(1, 3), (APPEND, DENOISE, PREDICTION), strict=True):
        for batch in dict.fromkeys(row.batch for row in report.rows):
            own = [row for row in report.rows if (row.what, row.batch) == (what, batch)]
            _line(panel, own, f"ours, batch {batch}", linewidth=2.5)
        for name, dtype in dict.fromkeys((r.name, r.dtype) for r in report.references):
            rows = [r for r in report.references if (r.name, r.what) == (name, what)]
            _line(panel, rows, f"{name}, {dtype}", linewidth=1.2)
        if what == PREDICTION:
            whole = [row for row in report.rows if row.what == WHOLE_WAY]
            _line(panel, whole, "image to command, through the nodes", linewidth=1.2)
        panel.set(title=what, xlabel="frames of context", ylabel="ms")
        panel.set_xscale("log", base=2)
        if what == DENOISE and report.references:
            panel.set_yscale("log")
        else:
            panel.set_ylim(bottom=0)
        ticks = sorted({r.context_frames for r in report.rows if r.what == what})
        panel.set_xticks(ticks, [str(tick) for tick in ticks])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _line(
    panel: Axes, rows: Sequence[Row] | Sequence[ReferenceRow], label: str, linewidth: float
) -> None:
    if not rows:
        return
    frames = [row.context_frames for row in rows]
    p50 = [row.p50_ms for row in rows]
    (line,) = panel.plot(frames, p50, "o-", label=label, linewidth=linewidth)
    p99 = [row.p99_ms for row in rows]
    panel.fill_between(frames, p50, p99, color=line.get_color(), alpha=0.15)

"""A benchmark's figures as tables for people."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .ratios import FAR, NEAR
from .report import APPEND, DENOISE, PREDICTION, BenchmarkReport, Row

TABLE_WIDTH = 110
"""Columns of a terminal that the tables need."""

_COLUMNS = (
    "context\nframes",
    "batch",
    "p50\nms",
    "p99\nms",
    "GFLOP",
    "MB\nmoved",
    "of the\nroofline",
    "MB\nallocated",
)


def rows_table(report: BenchmarkReport) -> Table:
    """One line a row of ours."""
    shown = _table(f"{report.model}: milliseconds, warm-up left out", "what", *_COLUMNS)
    for row, following in zip(report.rows, [*report.rows[1:], None], strict=True):
        last = following is None or following.context_frames != row.context_frames
        shown.add_row(row.what, *_figures(row), end_section=last)
    return shown


def references_table(report: BenchmarkReport) -> Table:
    """The references beside ours: p50 / p99."""
    names = list(dict.fromkeys((r.name, r.dtype) for r in report.references))
    headings = [f"{name}\n{dtype}" for name, dtype in names]
    ours = f"ours\n{report.hardware.dtype}"
    shown = _table("references, p50 / p99, ms", "what", "context\nframes", ours, *headings)
    cells = {(r.name, r.what, r.context_frames): r for r in report.references}
    for what in (APPEND, DENOISE):
        for context in dict.fromkeys(r.context_frames for r in report.references):
            own = [report.row(what, context, 1)]
            found = [*own, *(cells.get((name, what, context)) for name, _ in names)]
            texts = ["-" if r is None else _milliseconds(r.p50_ms, r.p99_ms) for r in found]
            shown.add_row(what, str(context), *texts)
    return shown


def summary(report: BenchmarkReport) -> list[str]:
    """Hardware, ceilings, ratios, the way through the nodes: a line each."""
    ceilings = report.ceilings
    lines = [
        report.hardware.describe(),
        f"{report.model}: {report.num_parameters / 1e6:.1f}M parameters, {report.num_steps} "
        "denoising steps",
        f"ceilings: memory {ceilings.bandwidth_gb_s:.1f} GB/s, large products "
        f"{ceilings.matrix_gflop_s:.0f} GFLOP/s",
        *(
            f"denoise_step at {shapes.context_frames} frames, batch {shapes.batch}: "
            f"{shapes.fraction:.0%} of the {shapes.gflop_s:.0f} GFLOP/s that its own matrix "
            "shapes reach alone"
            for shapes in report.own_shapes
        ),
    ]
    lines += _flatness(report)
    if report.comparison is not None:
        c = report.comparison
        lines.append(
            f"{c.shape}: one denoising step {_milliseconds(c.ours.p50_ms, c.ours.p99_ms)} ms "
            f"({c.dtype}), dense gather {_milliseconds(c.dense.p50_ms, c.dense.p99_ms)} ms "
            f"(float32), {_milliseconds(c.dense_same_dtype.p50_ms, c.dense_same_dtype.p99_ms)} "
            f"ms ({c.dtype}): {c.ratio:.1f} times faster; {c.own_shapes_fraction:.0%} of the "
            f"{c.own_shapes_gflop_s:.0f} GFLOP/s of its own shapes"
        )
    if report.ratios is not None:
        r = report.ratios
        lines.append(
            f"ratios, one thread: prediction at {FAR} : at {NEAR} frames "
            f"{r.prediction_far_over_near:.2f}; step at {FAR} : without cache "
            f"{r.step_over_no_cache:.3f}; : dense gather {r.step_over_dense_gather:.3f}"
        )
    if report.predictions_per_s is not None:
        lines.append(f"through the nodes: {report.predictions_per_s:.2f} predictions a second")
        parts = [f"{name} {value:.1f}" for name, value in report.command_parts_ms.items()]
        lines.append(f"image to command, median of each part, ms: {', '.join(parts)}")
    return lines


def _flatness(report: BenchmarkReport) -> list[str]:
    predictions = [r for r in report.rows if r.what == PREDICTION and r.batch == 1]
    if len(predictions) < 2:
        return []
    first, last = predictions[0], predictions[-1]
    return [
        f"prediction at {last.context_frames} frames : at {first.context_frames} frames = "
        f"{last.p50_ms / first.p50_ms:.2f}"
    ]


def _table(title: str, first: str, *columns: str) -> Table:
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    shown.add_column(first, no_wrap=True)
    for column in columns:
        shown.add_column(column, justify="right", no_wrap=True)
    return shown


def _figures(row: Row) -> tuple[str, ...]:
    allocated = row.allocated_bytes
    return (
        str(row.context_frames),
        str(row.batch),
        f"{row.p50_ms:.2f}",
        f"{row.p99_ms:.2f}",
        f"{1e-9 * row.operations:.2f}",
        f"{1e-6 * row.bytes_moved:.1f}",
        f"{row.roofline_fraction:.0%}",
        "-" if allocated is None else f"{1e-6 * allocated:.1f}",
    )


def _milliseconds(p50: float, p99: float) -> str:
    return f"{p50:.1f} / {p99:.1f}"

"""What the camera benchmark found, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from .load import CAMERAS, HEIGHT, RATE_HZ, WIDTH, CameraLoad

GOAL_CPU_SHARE, GOAL_P99_MS = 0.6, 15.0


@dataclass(frozen=True)
class NodeCost:
    """What one node took.

    Attributes:
        cpu_share: CPU time of its process over wall time, warm-up left out; 1 is a core.
        p50_ms, p99_ms, worst_ms: `camera_context`: from when a frame can exist (publication of
            its newest image, or its grid time less the 6 ms that a frame may come early,
            whichever is later) until it is published. The naive node: from an image's
            publication until it is appended.
        samples: of these.
    """

    cpu_share: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    samples: int


@dataclass(frozen=True)
class CameraBenchmark:
    """What was found.

    Attributes:
        load: what was published.
        context: of `camera_context`.
        naive: of the naive node; None where it was left out.
        images_published: of all cameras together.
        images_lost: of these, not taken by `camera_context`.
        frames: heard on its topic.
        frames_lost: indices that did not come.
        frames_marked: with a camera or the joints missing.
        publisher_late_ms: greatest delay of an image behind its time: of this machine.
    """

    load: CameraLoad
    context: NodeCost
    naive: NodeCost | None
    images_published: int
    images_lost: int
    frames: int
    frames_lost: int
    frames_marked: int
    publisher_late_ms: float


def table(found: CameraBenchmark) -> Table:
    """CPU and latency of both nodes."""
    load = found.load
    title = (
        f"{len(CAMERAS)} cameras of {WIDTH}x{HEIGHT} at {RATE_HZ:.0f} Hz, {load.encoding}"
        f"{', rectified' if load.rectify else ''}, {load.seconds:.0f} s"
    )
    result = Table(title=title)
    for column in ("node", "of a core", "p50, ms", "p99, ms", "worst, ms", "of"):
        result.add_column(column, justify="left" if column in ("node", "of") else "right")
    for name, cost, what in (
        ("camera_context", found.context, "frames"),
        ("naive", found.naive, "images"),
    ):
        if cost is not None:
            figures = (cost.p50_ms, cost.p99_ms, cost.worst_ms)
            result.add_row(
                name,
                f"{cost.cpu_share:.1%}",
                *(f"{figure:.1f}" for figure in figures),
                f"{cost.samples} {what}",
            )
    return result


def summary(found: CameraBenchmark) -> list[str]:
    """What was lost, and whether the goals are met."""
    cost = found.context
    met = cost.cpu_share <= GOAL_CPU_SHARE and cost.p99_ms <= GOAL_P99_MS and not lost(found)
    return [
        f"camera_context: {found.images_lost} of {found.images_published} images lost, "
        f"{found.frames_lost} of {found.frames} frames lost, {found.frames_marked} marked",
        f"the publisher was up to {found.publisher_late_ms:.0f} ms late: what this machine adds",
        f"goal (at most {GOAL_CPU_SHARE:.0%} of a core, p99 at most {GOAL_P99_MS:.0f} ms, nothing "
        f"lost): {'met' if met else 'missed'}",
    ]


def lost(found: CameraBenchmark) -> int:
    """Images and frames that `camera_context` lost or marked."""
    return found.images_lost + found.frames_lost + found.frames_marked


def write_json(path: Path, found: CameraBenchmark) -> None:
    """All figures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(found), indent=2) + "\n")

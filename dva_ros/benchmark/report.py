"""What a benchmark found, and its JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..compute.ceilings import Ceilings
from .comparison import ShapeComparison
from .hardware import Hardware
from .ratios import Ratios

APPEND, DENOISE, PREDICTION = "append", "denoise_step", "prediction"
DECODE, WHOLE_WAY = "inverse_dynamics", "image_to_command"


@dataclass(frozen=True)
class Row:
    """One kind of call.

    Attributes:
        what: `append` (encode one frame), `denoise_step`, `prediction` (pixels included),
            `inverse_dynamics`, or `image_to_command` (camera stamp to trajectory sent, through
            the running graph beside the simulated cell).
        context_frames: in the cache; real frames read, for inverse dynamics.
        batch: sessions side by side.
        p50_ms, p99_ms: warm-up left out.
        roofline_fraction: least time under the ceilings over p50.
        operations, bytes_moved: see `cost.Cost`.
        allocated_bytes: newly allocated by torch in one call after warm-up; None through the
            graph.
    """

    what: str
    context_frames: int
    batch: int
    p50_ms: float
    p99_ms: float
    roofline_fraction: float
    operations: float
    bytes_moved: float
    allocated_bytes: int | None


@dataclass(frozen=True)
class ReferenceRow:
    """A call of a reference implementation; see `references.py`."""

    name: str
    dtype: str
    what: str
    context_frames: int
    batch: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class OwnShapes:
    """A denoising step's matrix shapes, each timed alone.

    Attributes:
        gflop_s: their rate: the ceiling of these very shapes.
        fraction: share of it that the whole step reaches.
    """

    context_frames: int
    batch: int
    gflop_s: float
    fraction: float


@dataclass(frozen=True)
class BenchmarkReport:
    """Everything.

    Attributes:
        model: name of what was timed.
        num_parameters: of the video model.
        num_steps: denoising steps of a prediction.
        predictions_per_s: through the graph; None where that was not measured.
        command_parts_ms: median of each part of `image_to_command`; empty where not measured.
        comparison, ratios: None without references.
    """

    model: str
    num_parameters: int
    num_steps: int
    hardware: Hardware
    ceilings: Ceilings
    own_shapes: tuple[OwnShapes, ...]
    rows: tuple[Row, ...]
    references: tuple[ReferenceRow, ...]
    comparison: ShapeComparison | None
    ratios: Ratios | None
    predictions_per_s: float | None
    command_parts_ms: dict[str, float]

    def row(self, what: str, context_frames: int, batch: int) -> Row | None:
        """The row of a call, where it was measured."""
        wanted = (what, context_frames, batch)
        return next((r for r in self.rows if (r.what, r.context_frames, r.batch) == wanted), None)

    def to_dict(self) -> dict[str, object]:
        """Plain types; the measured shapes are part of `ceilings`."""
        values = asdict(self)
        values["ceilings"]["own_shapes"] = values.pop("own_shapes")
        return values

    def write_json(self, path: Path) -> None:
        """For programs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n")

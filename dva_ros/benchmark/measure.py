"""One run of the benchmark: ceilings, rows, references, ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from ..compute.ceilings import Ceilings, products_seconds
from ..compute.cost import (
    Cost,
    append_cost,
    decode_cost,
    denoise_cost,
)
from ..compute.products import denoise_products
from ..compute.timing import (
    Timing,
    Work,
    num_bursts,
    time_in_turns,
)
from ..video.profiles import peers_config
from .allocations import allocated_bytes
from .comparison import NUM_CALLS as COMPARED_CALLS
from .comparison import ShapeComparison
from .hardware import dtype_name, this_machine
from .models import TimedModels
from .ratios import NUM_CALLS as RATIO_CALLS
from .ratios import REPEATS as RATIO_REPEATS
from .ratios import Ratios
from .references import references
from .report import (
    APPEND,
    DECODE,
    DENOISE,
    PREDICTION,
    WHOLE_WAY,
    BenchmarkReport,
    OwnShapes,
    ReferenceRow,
    Row,
)
from .workloads import Decoding, VideoSessions

SLOW_REPEATS = 10
"""Timed calls of references and of the comparison, at most; they take up to seconds."""


@dataclass(frozen=True)
class _Key:
    """Of a timed call; `name` is that of a reference, empty for ours."""

    name: str
    dtype: str
    what: str
    context_frames: int
    batch: int


@dataclass(frozen=True)
class BenchmarkOptions:
    """What is measured.

    Attributes:
        contexts: frames of context.
        batches: sessions side by side.
        num_steps: denoising steps; None for the model's own.
        repeats: timed calls of each kind.
        references: measure reference implementations, the comparison and the ratios, too.
    """

    contexts: tuple[int, ...] = (16, 64, 256, 512, 1024)
    batches: tuple[int, ...] = (1,)
    num_steps: int | None = None
    repeats: int = 40
    references: bool = True

    @property
    def slow_repeats(self) -> int:
        """Timed calls of what takes long."""
        return min(SLOW_REPEATS, self.repeats)


@dataclass(frozen=True)
class _Call:
    """What is timed under a key, and what it costs; without a cost for references."""

    work: Work
    cost: Cost | None


def measure(
    models: TimedModels,
    options: BenchmarkOptions,
    begin: Callable[[str, int], object] = lambda what, bursts: None,
    progress: Callable[[], object] = lambda: None,
) -> BenchmarkReport:
    """Measure all but the way through the nodes.

    Args:
        begin: called before every part with its name and its number of bursts.
        progress: called after every burst.
    """
    video = models.video
    num_steps = options.num_steps or video.config.num_steps
    hardware = this_machine(video.dtype)
    begin("ceilings", 1)
    ceilings = Ceilings.measure(video.dtype)
    progress()
    calls = _calls(models, options, num_steps)
    works = {key: call.work for key, call in calls.items()}
    begin("rows", sum(num_bursts(work.repeats) for work in works.values()))
    timings = time_in_turns(works, progress)
    rows = [
        _row(key, call, timings[key], ceilings)
        for key, call in calls.items()
        if call.cost is not None
    ]
    reference_rows = [
        ReferenceRow(**asdict(key), p50_ms=timings[key].p50_ms, p99_ms=timings[key].p99_ms)
        for key, call in calls.items()
        if call.cost is None
    ]
    shapes = [_own_shapes(models, row) for row in rows if row.what == DENOISE]
    del calls, works
    comparison = ratios = None
    if options.references:
        repeats = options.slow_repeats
        begin("comparison", COMPARED_CALLS * num_bursts(repeats))
        comparison = ShapeComparison.measure(peers_config(), repeats, progress=progress)
        begin("ratios", RATIO_CALLS * num_bursts(RATIO_REPEATS))
        ratios = Ratios.measure(video, num_steps, progress)
    return BenchmarkReport(
        model=models.name,
        num_parameters=models.num_parameters,
        num_steps=num_steps,
        hardware=hardware,
        ceilings=ceilings,
        own_shapes=tuple(shapes),
        rows=tuple(rows),
        references=tuple(reference_rows),
        comparison=comparison,
        ratios=ratios,
        predictions_per_s=None,
        command_parts_ms={},
    )


def with_whole_way(
    report: BenchmarkReport,
    models: TimedModels,
    context: int,
    latencies_s: Sequence[float],
    predictions_per_s: float,
    parts_ms: dict[str, float],
) -> BenchmarkReport:
    """The report with what was measured through the nodes.

    Its least time is that of one frame, a prediction and inverse dynamics.

    Args:
        parts_ms: where the time went, median of each part.
    """
    config, size = models.video.config, models.video.dtype.itemsize
    cost = (
        append_cost(config, context, 1, size)
        + denoise_cost(config, context, 1, size) * report.num_steps
        + decode_cost(models.net.config, 1, size)
    )
    timing = Timing.of(latencies_s)
    row = Row(
        what=WHOLE_WAY,
        context_frames=context,
        batch=1,
        p50_ms=timing.p50_ms,
        p99_ms=timing.p99_ms,
        roofline_fraction=report.ceilings.roofline_fraction(cost, timing.p50_ms),
        operations=cost.operations,
        bytes_moved=cost.bytes_moved,
        allocated_bytes=None,
    )
    return replace(
        report,
        rows=(*report.rows, row),
        predictions_per_s=predictions_per_s,
        command_parts_ms=parts_ms,
    )


def _calls(models: TimedModels, options: BenchmarkOptions, num_steps: int) -> dict[_Key, _Call]:
    video, config, size = models.video, models.video.config, models.video.dtype.itemsize
    dtype = dtype_name(video.dtype)
    calls: dict[_Key, _Call] = {}

    def add(what: str, context: int, batch: int, call: Callable[[], object], cost: Cost) -> None:
        key = _Key("", dtype, what, context, batch)
        calls[key] = _Call(Work(call, options.repeats), cost)

    for batch in options.batches:
        for context in options.contexts:
            sessions = VideoSessions(video, context, batch, num_steps)
            step = denoise_cost(config, context, batch, size)
            frame = append_cost(config, context, batch, size)
            add(APPEND, context, batch, sessions.append, frame)
            add(DENOISE, context, batch, sessions.denoise, step)
            add(PREDICTION, context, batch, sessions.predict, step * num_steps)
        net = models.net
        decode = decode_cost(net.config, batch, size)
        add(DECODE, net.config.num_real_frames, batch, Decoding(net, batch).decode, decode)
    for context in options.contexts if options.references else ():
        for reference in references(video, context):
            key = _Key(reference.name, dtype_name(reference.dtype), reference.what, context, 1)
            calls[key] = _Call(Work(reference.call, options.slow_repeats), None)
    return calls


def _row(key: _Key, call: _Call, timing: Timing, ceilings: Ceilings) -> Row:
    assert call.cost is not None
    return Row(
        what=key.what,
        context_frames=key.context_frames,
        batch=key.batch,
        p50_ms=timing.p50_ms,
        p99_ms=timing.p99_ms,
        roofline_fraction=ceilings.roofline_fraction(call.cost, timing.p50_ms),
        operations=call.cost.operations,
        bytes_moved=call.cost.bytes_moved,
        allocated_bytes=allocated_bytes(call.work.call),
    )


def _own_shapes(models: TimedModels, row: Row) -> OwnShapes:
    products = denoise_products(models.video.config, row.context_frames, row.batch)
    alone_s = products_seconds(products, models.video.dtype)
    return OwnShapes(
        context_frames=row.context_frames,
        batch=row.batch,
        gflop_s=1e-9 * row.operations / alone_s,
        fraction=1e3 * alone_s / row.p50_ms,
    )

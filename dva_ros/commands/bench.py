"""`python -m dva_ros bench`: what the models cost, held against this machine and references."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..benchmark.measure import BenchmarkOptions
    from ..benchmark.models import TimedModels
    from ..benchmark.report import BenchmarkReport

SUMMARY = "time the models over context and batch, against the machine's ceilings and references"

MAX_BATCH = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    model = parser.add_mutually_exclusive_group()
    model.add_argument(
        "--checkpoint",
        default="cpu/video",
        help="video checkpoint: folder, or name in models/; inverse dynamics is taken from beside",
    )
    model.add_argument(
        "--profile", choices=("default", "gpu", "large"), help="random weights of this shape"
    )
    parser.add_argument(
        "--contexts", default="16,64,256,512,1024", help="frames, separated by commas"
    )
    parser.add_argument(
        "--batches", default="1", help=f"sessions side by side, 1..{MAX_BATCH}, by commas"
    )
    parser.add_argument("--steps", type=int, help="denoising steps; the model's own without")
    parser.add_argument("--threads", type=int, help="threads; all cores without")
    parser.add_argument("--repeats", type=int, default=40, help="timed calls of each kind")
    parser.add_argument(
        "--references",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="measure reference implementations and ratios, too",
    )
    parser.add_argument(
        "--nodes",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="measure image to command through the running nodes, too (a minute)",
    )
    parser.add_argument(
        "--node-context", type=int, default=256, help="frames of context in the nodes"
    )
    parser.add_argument(
        "--node-seconds", type=float, default=30.0, help="length of the measurement there"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--output", type=Path, help="folder for the plot")
    parser.add_argument(
        "--write-ratios", type=Path, help="store the ratios, for the guard against slowing down"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print tables, write what was asked for."""
    import os

    # Before torch is imported: its profiler writes about itself to standard error.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    import torch

    from ..benchmark.models import TimedModels
    from ..errors import UserError
    from ..resources import model_path

    options = _options(args)
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    if args.profile:
        _plan_memory(args.profile, options)
    models = (
        TimedModels.of_profile(args.profile)
        if args.profile
        else TimedModels.of_checkpoint(model_path(args.checkpoint))
    )
    report = _measure(models, options)
    failure = ""
    if args.nodes:
        try:
            report = _through_nodes(report, models, args)
        except UserError as error:
            failure = str(error)
    _show(report, args)
    if failure:
        print(f"image_to_command was not measured: {failure}")
    return 1 if failure else 0


def _options(args: argparse.Namespace) -> BenchmarkOptions:
    from ..benchmark.measure import BenchmarkOptions
    from ..errors import UserError

    for name in ("steps", "threads", "repeats", "node_context", "node_seconds"):
        if getattr(args, name) is not None and getattr(args, name) <= 0:
            raise UserError(f"--{name.replace('_', '-')} must be greater than 0")
    if args.write_ratios is not None and not args.references:
        raise UserError("--write-ratios needs the references: leave --no-references out")
    batches = _counts("batches", args.batches)
    if batches[-1] > MAX_BATCH:
        raise UserError(f"--batches goes up to {MAX_BATCH}")
    return BenchmarkOptions(
        contexts=_counts("contexts", args.contexts),
        batches=batches,
        num_steps=args.steps,
        repeats=args.repeats,
        references=args.references,
    )


def _plan_memory(profile: str, options: BenchmarkOptions) -> None:
    """Print what the models will take, and refuse what this machine has not."""
    from ..video.memory_plan import CacheSize, MemoryPlan, free_bytes
    from ..video.precision import fast_dtype
    from ..video.profiles import profile_config

    caches = [CacheSize(c, batch) for c in options.contexts for batch in options.batches]
    plan = MemoryPlan.of(profile_config(profile), fast_dtype(), caches)
    for line in plan.lines():
        print(line)
    plan.require(free_bytes("cpu"), "this machine")


def _counts(name: str, text: str) -> tuple[int, ...]:
    from ..errors import UserError

    try:
        counts = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError as error:
        raise UserError(f"--{name} takes numbers, separated by commas: {error}") from error
    if counts[0] < 1:
        raise UserError(f"--{name} must be at least 1")
    return counts


def _measure(models: TimedModels, options: BenchmarkOptions) -> BenchmarkReport:
    from tqdm import tqdm

    from ..benchmark.measure import measure

    with tqdm(unit="burst", leave=False, disable=None) as bar:

        def begin(part: str, bursts: int) -> None:
            bar.set_description(part)
            bar.reset(bursts)

        return measure(models, options, begin, bar.update)


def _through_nodes(
    report: BenchmarkReport, models: TimedModels, args: argparse.Namespace
) -> BenchmarkReport:
    from importlib.util import find_spec

    from tqdm import tqdm

    from ..benchmark.measure import with_whole_way

    if models.folders is None:
        print("image_to_command needs checkpoints of both models: left out")
        return report
    if find_spec("rclpy") is None or find_spec("dva_msgs") is None:
        print("image_to_command needs rclpy and dva_msgs: left out")
        return report
    from ..benchmark.client.latency import GraphLoad, measure_graph_latency

    video, inverse_dynamics = models.folders
    load = GraphLoad(
        video=video.resolve(),
        inverse_dynamics=inverse_dynamics.resolve(),
        context_frames=args.node_context,
        num_steps=args.steps,
        seconds=args.node_seconds,
    )
    with tqdm(total=load.num_frames, unit="frame", desc="nodes", leave=False, disable=None) as bar:

        def progress(frames: int) -> None:
            bar.update(min(frames, load.num_frames) - bar.n)

        found = measure_graph_latency(load, progress)
    return with_whole_way(
        report,
        models,
        load.context_frames,
        found.latencies_s,
        found.predictions_per_s,
        found.median_parts_ms(),
    )


def _show(report: BenchmarkReport, args: argparse.Namespace) -> None:
    import shlex
    import sys
    from datetime import date

    from rich.console import Console

    from ..benchmark.plot import PLOT_FILE, plot
    from ..benchmark.ratios import StoredRatios
    from ..benchmark.tables import TABLE_WIDTH, references_table, rows_table, summary

    console = Console(width=max(Console().width, TABLE_WIDTH))
    console.print(rows_table(report))
    if report.references:
        console.print(references_table(report))
    for line in summary(report):
        print(line)
    if args.output is not None:
        plot(report, args.output / PLOT_FILE)
        print(f"plot: {args.output / PLOT_FILE}")
    if args.json is not None:
        report.write_json(args.json)
        print(f"figures: {args.json}")
    if args.write_ratios is not None and report.ratios is not None:
        StoredRatios(
            command=f"python -m dva_ros {shlex.join(sys.argv[1:])}",
            machine=report.hardware.describe(),
            dtype=report.hardware.dtype,
            date=date.today().isoformat(),
            ratios=report.ratios,
        ).write(args.write_ratios)
        print(f"ratios: {args.write_ratios}")

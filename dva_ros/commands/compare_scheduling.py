"""`python -m dva_ros compare-scheduling`: leapfrog and other schedulers on the same scenes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..evaluation.arguments import (
    AUTO,
    add_limit_arguments,
    add_policy_arguments,
    add_scene_arguments,
    add_speed_argument,
    read_speed,
)

if TYPE_CHECKING:
    from ..evaluation.comparison import ComparisonOptions

LEAD_MS = 20.0
SUMMARY = "compare leapfrog with other schedulers over latency: success, idle time, steps, jerk"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_scene_arguments(parser)
    add_policy_arguments(parser)
    add_limit_arguments(parser)
    parser.add_argument(
        "--latency", default="0,100,200,400,600,800", help="ms, separated by commas"
    )
    parser.add_argument(
        "--lead-ms",
        type=float,
        default=LEAD_MS,
        help="time that leapfrog leaves its messages to reach the controller (%(default)g: two "
        "controller periods, for in process messages take no time; the other schedulers' take "
        "effect at the next period; a robot's is 80)",
    )
    add_speed_argument(parser, AUTO)
    parser.add_argument(
        "--schedulers", default="", help="names, separated by commas; all without this option"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="folder for the plot and for rows.json; rows that it holds already are kept",
    )
    parser.add_argument("--json", type=Path, help="write the rows to this file")


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, print the table, write the plot and the figures."""
    from rich.console import Console
    from tqdm import tqdm

    from ..evaluation.comparison import compare, write_rows
    from ..evaluation.comparison_report import PLOT_FILE, TABLE_WIDTH, plot, refusals, table
    from ..evaluation.report import EpisodeOutcome, EvaluationOptions

    options = _options(args)
    expected = len(options.jobs())
    with tqdm(
        total=expected * options.episodes, unit="episode", smoothing=0.05, disable=None
    ) as bar:

        def report(job: EvaluationOptions, outcome: EpisodeOutcome | None) -> None:
            kept = " (kept)" if outcome is None else ""
            bar.set_postfix_str(f"{job.scheduler} {1e3 * job.latency_s:.0f} ms{kept}", False)
            bar.update()

        rows = compare(options, args.output, report)
    seeds = range(options.seed, options.seed + options.episodes)
    title = (
        f"{options.task}, policy {options.policy}, split '{options.split}', "
        f"seeds {seeds[0]}..{seeds[-1]}"
    )
    Console(width=max(Console().width, TABLE_WIDTH)).print(table(rows, title))
    for reason in refusals(rows):
        print(reason)
    if args.output is not None and rows:
        plot(rows, args.output / PLOT_FILE, title)
        print(f"plot: {args.output / PLOT_FILE}")
    if args.json is not None:
        write_rows(args.json, options, rows)
        print(f"figures: {args.json}")
    return 0 if len(rows) == expected else 130


def _options(args: argparse.Namespace) -> ComparisonOptions:
    from ..errors import UserError
    from ..evaluation.comparison import ComparisonOptions
    from ..evaluation.schedulers.registry import SCHEDULERS
    from ..evaluation.speed import in_whole_ticks
    from ..resources import model_path

    for name in ("episodes", "workers", "max_seconds"):
        if getattr(args, name) <= 0:
            raise UserError(f"--{name.replace('_', '-')} must be greater than 0")
    try:
        latencies = tuple(dict.fromkeys(float(part) for part in args.latency.split(",")))
    except ValueError as error:
        raise UserError(f"--latency takes milliseconds, separated by commas: {error}") from error
    if not all(0 <= latency < float("inf") for latency in latencies):
        raise UserError("--latency must not be negative, and finite")
    if not args.lead_ms >= LEAD_MS:
        raise UserError(f"--lead-ms must be at least two controller periods, {LEAD_MS:g}")
    names = tuple(dict.fromkeys(n for n in args.schedulers.split(",") if n)) or SCHEDULERS
    unknown = [name for name in names if name not in SCHEDULERS]
    if unknown:
        raise UserError(f"unknown scheduler '{unknown[0]}'; there are: {', '.join(SCHEDULERS)}")
    speed = read_speed(args.time_scaling)
    return ComparisonOptions(
        schedulers=names,
        latencies_ms=latencies,
        time_scaling=None if speed is None else in_whole_ticks(speed),
        lead_s=args.lead_ms / 1e3,
        task=args.task,
        episodes=args.episodes,
        seed=args.seed,
        split=args.split,
        policy=args.policy,
        models=model_path(args.models) if args.policy == "model" else Path(args.models),
        max_seconds=args.max_seconds,
        workers=args.workers,
    )

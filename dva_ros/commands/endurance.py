"""`python -m dva_ros endurance`: an hour of simulated operation; what grows is a failure."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..evaluation.arguments import (
    add_latency_arguments,
    add_limit_arguments,
    add_policy_arguments,
    add_scene_arguments,
)

if TYPE_CHECKING:
    from ..evaluation.endurance import EnduranceOptions

SUMMARY = "run for an hour of simulated time; memory, latency and queues must not grow"
EXIT_GROWTH = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_scene_arguments(parser, episodes=None)
    add_policy_arguments(parser, ("model", "expert"))
    add_latency_arguments(parser)
    add_limit_arguments(parser, workers=False)
    parser.add_argument("--hours", type=float, default=1.0, help="simulated operation")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("outputs/endurance"),
        help="folder for endurance.png and endurance.json",
    )


def run(args: argparse.Namespace) -> int:
    """Run, print the table and the verdict, write plot and figures; 1 where something grows."""
    from rich.console import Console
    from tqdm import tqdm

    from ..evaluation.endurance import run_endurance
    from ..evaluation.endurance_report import (
        FIGURES_FILE,
        PLOT_FILE,
        TABLE_WIDTH,
        plot,
        table,
        title,
        verdict,
        write_figures,
    )

    options = _options(args)
    form = "{l_bar}{bar}| {n:.0f}/{total:.0f} simulated s [{elapsed}<{remaining}]"
    with tqdm(total=options.duration_s, bar_format=form, mininterval=1.0, disable=None) as bar:
        # The last episode goes on beyond the end.
        result = run_endurance(options, lambda s: bar.update(min(s, options.duration_s - bar.n)))
    print(title(result))
    Console(width=max(Console().width, TABLE_WIDTH)).print(table(result))
    print(verdict(result))
    for reason, count in result.refused.items():
        print(f"refused: {count}x {reason}")
    plot(result, args.output / PLOT_FILE)
    write_figures(result, args.output / FIGURES_FILE)
    print(f"plot: {args.output / PLOT_FILE}\nfigures: {args.output / FIGURES_FILE}")
    if not result.whole:
        return 130
    return EXIT_GROWTH if result.leaks else 0


def _options(args: argparse.Namespace) -> EnduranceOptions:
    from ..cell.tasks import find_task
    from ..errors import UserError
    from ..evaluation.endurance import EnduranceOptions
    from ..resources import model_path

    for name in ("hours", "max_seconds"):
        if not 0 < getattr(args, name) < float("inf"):
            raise UserError(f"--{name.replace('_', '-')} must be greater than 0")
    for name in ("latency_ms", "jitter_ms"):
        if getattr(args, name) < 0:
            raise UserError(f"--{name.replace('_', '-')} must not be negative")
    find_task(args.task)
    return EnduranceOptions(
        task=args.task,
        hours=args.hours,
        seed=args.seed,
        split=args.split,
        latency_s=args.latency_ms / 1e3,
        jitter_s=args.jitter_ms / 1e3,
        models=model_path(args.models) if args.policy == "model" else Path(args.models),
        policy=args.policy,
        max_seconds=args.max_seconds,
    )

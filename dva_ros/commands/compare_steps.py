"""`python -m dva_ros compare-steps`: success and cost of a prediction by denoising steps."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..evaluation.arguments import (
    add_scene_arguments,
)

if TYPE_CHECKING:
    from ..evaluation.report import EvaluationOptions

SUMMARY = "compare numbers of denoising steps: closed-loop success beside the cost of a prediction"
PLOT_FILE = "steps.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_scene_arguments(parser, episodes=100)
    parser.add_argument("--steps", default="1,2,4,8", help="numbers, separated by commas")
    parser.add_argument(
        "--models",
        default="cpu",
        help="folders, or names in models/, each with video/ and inverse_dynamics/, separated by "
        "commas; FOLDER:1 measures one with so many steps only, as a distilled one needs",
    )
    parser.add_argument("--latency-ms", type=float, default=250.0, help="modelled latency")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--output", type=Path, help=f"folder for {PLOT_FILE}")
    parser.add_argument("--json", type=Path, help="write the rows to this file")


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write the plot and the figures."""
    import json
    from dataclasses import asdict

    from rich.console import Console
    from tqdm import tqdm

    from ..evaluation.report import EpisodeOutcome
    from ..evaluation.step_comparison import compare_steps, plot, table

    jobs = _jobs(args)
    with tqdm(
        total=len(jobs) * args.episodes, unit="episode", smoothing=0.05, disable=None
    ) as bar:

        def report(job: EvaluationOptions, outcome: EpisodeOutcome) -> None:
            bar.set_postfix_str(f"{job.models.name}, {job.num_steps} steps", False)
            bar.update()

        rows = compare_steps(jobs, args.workers, report)
    last = args.seed + args.episodes - 1
    title = (
        f"{args.task}, split '{args.split}', seeds {args.seed}..{last}, "
        f"{args.latency_ms:.0f} ms modelled"
    )
    Console(width=max(Console().width, 110)).print(table(rows, title))
    if args.output is not None:
        plot(rows, args.output / PLOT_FILE, title)
        print(f"plot: {args.output / PLOT_FILE}")
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        content = {"common": title, "rows": [asdict(row) for row in rows]}
        args.json.write_text(json.dumps(content, indent=2) + "\n")
        print(f"figures: {args.json}")
    return 0


def _jobs(args: argparse.Namespace) -> list[EvaluationOptions]:
    from ..errors import UserError
    from ..evaluation.report import EvaluationOptions
    from ..resources import model_path

    try:
        steps = tuple(dict.fromkeys(int(part) for part in args.steps.split(",")))
        pairs = [
            (folder, count)
            for folder, _, own in (part.partition(":") for part in args.models.split(","))
            for count in ((int(own),) if own else steps)
        ]
    except ValueError as error:
        raise UserError(
            f"--steps takes numbers, separated by commas, --models FOLDER or FOLDER:STEPS: {error}"
        ) from error
    least = min(count for _, count in pairs)
    if min(least, *steps) < 1 or args.episodes < 1 or args.workers < 1 or args.latency_ms < 0:
        raise UserError("--steps, --episodes and --workers are at least 1, --latency-ms 0")
    return [
        EvaluationOptions(
            task=args.task,
            episodes=args.episodes,
            seed=args.seed,
            split=args.split,
            latency_s=args.latency_ms / 1e3,
            num_steps=count,
            models=model_path(folder),
        )
        for folder, count in pairs
    ]

"""`python -m dva_ros evaluate`: closed-loop episodes and their statistics."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..evaluation.arguments import (
    AUTO,
    add_latency_arguments,
    add_limit_arguments,
    add_policy_arguments,
    add_scene_arguments,
    add_speed_argument,
    read_speed,
)

if TYPE_CHECKING:
    from ..evaluation.report import EvaluationOptions, EvaluationReport

SUMMARY = "run closed-loop episodes, in process or through the nodes, and report success"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_scene_arguments(parser, task=None)
    add_policy_arguments(parser)
    add_latency_arguments(parser)
    add_limit_arguments(parser)
    parser.add_argument(
        "--ros", action="store_true", help="through the nodes in real time, not in process"
    )
    parser.add_argument(
        "--scheduler",
        default="leapfrog",
        help="leapfrog, or one that it is compared with (in process; "
        "docs/concepts/scheduler-comparison.md)",
    )
    add_speed_argument(parser, "1")
    parser.add_argument("--steps", type=int, help="denoising steps; default: the checkpoint's")
    parser.add_argument("--context-frames", type=int, help="frames of memory")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--video", type=Path, help="write the first episode as mp4 and PNG")


def run(args: argparse.Namespace) -> int:
    """Run the episodes and print the report."""
    options = _options(args)
    if args.ros:
        from ..evaluation.client.episodes import run_ros_evaluation

        report = run_ros_evaluation(options)
    else:
        report = _run_in_process(options)
    print(report.table())
    if args.json is not None:
        report.write_json(args.json)
        print(f"  {'figures':<30} {args.json}")
    return 0 if len(report.outcomes) == options.episodes else 130


def _options(args: argparse.Namespace) -> EvaluationOptions:
    from ..errors import UserError
    from ..evaluation.report import EvaluationOptions
    from ..resources import model_path

    for name in ("episodes", "workers", "max_seconds"):
        if getattr(args, name) <= 0:
            raise UserError(f"--{name.replace('_', '-')} must be greater than 0")
    for name in ("latency_ms", "jitter_ms"):
        if getattr(args, name) < 0:
            raise UserError(f"--{name.replace('_', '-')} must not be negative")
    if args.policy != "model" and args.ros:
        raise UserError(f"--policy {args.policy} runs in process only: leave --ros out")
    if args.scheduler != "leapfrog" and args.ros:
        raise UserError(f"--scheduler {args.scheduler} runs in process only: leave --ros out")
    return EvaluationOptions(
        time_scaling=_speed(args),
        task=args.task,
        episodes=args.episodes,
        seed=args.seed,
        split=args.split,
        latency_s=args.latency_ms / 1e3,
        jitter_s=args.jitter_ms / 1e3,
        num_steps=args.steps,
        context_frames=args.context_frames,
        models=model_path(args.models) if args.policy == "model" else Path(args.models),
        policy=args.policy,
        scheduler=args.scheduler,
        workers=args.workers,
        max_seconds=args.max_seconds,
        video=args.video,
    )


def _speed(args: argparse.Namespace) -> float:
    from ..errors import UserError
    from ..evaluation.schedulers.timing import p99_latency_s
    from ..evaluation.speed import in_whole_ticks, speed_for_latency

    speed = read_speed(args.time_scaling)
    if args.ros:
        if speed is None:
            raise UserError(f"--time-scaling {AUTO} needs a modelled latency: leave --ros out")
        return speed
    if speed is None:
        return speed_for_latency(p99_latency_s(args.latency_ms / 1e3, args.jitter_ms / 1e3))
    return in_whole_ticks(speed)


def _run_in_process(options: EvaluationOptions) -> EvaluationReport:
    from tqdm import tqdm

    from ..evaluation.report import EpisodeOutcome
    from ..evaluation.runner import run_evaluation

    succeeded = finished = 0
    with tqdm(total=options.episodes, unit="episode", disable=None) as bar:

        def report(outcome: EpisodeOutcome) -> None:
            nonlocal succeeded, finished
            succeeded, finished = succeeded + outcome.success, finished + 1
            bar.set_postfix_str(f"success {succeeded}/{finished}", refresh=False)
            bar.update()

        return run_evaluation(options, report)

"""The main job, end to end: cell and nodes as processes, both tasks, a table and a film."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "let the nodes move the simulated cell by imagining video; writes a film and a table"

FIRST_SEED = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--task", default="pick_place,lift", help="task or tasks, by comma")
    parser.add_argument("--episodes", type=int, default=5, help="scenes of each task")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="first unseen scene")
    parser.add_argument(
        "--models", type=Path, default=Path("models/cpu"), help="folder of the checkpoints"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("outputs/demo"), help="folder of film and table"
    )


def run(args: argparse.Namespace) -> int:
    """Run every task through the ROS nodes in real time and print what came of it."""
    from ..cell.tasks import find_task
    from ..evaluation.client.episodes import run_ros_evaluation
    from ..evaluation.report import EvaluationOptions

    args.output.mkdir(parents=True, exist_ok=True)
    reports = []
    for task in args.task.split(","):
        name = find_task(task).name
        print(f"{name}: {args.episodes} unseen scenes, in real time through the ROS nodes")
        report = run_ros_evaluation(
            EvaluationOptions(
                task=task,
                episodes=args.episodes,
                seed=args.seed,
                models=args.models,
                video=args.output / f"{name}.mp4",
            )
        )
        report.write_json(args.output / f"{name}.json")
        reports.append(report)
    for report in reports:
        print(f"\n{report.table()}")
    print("\nThe films show the cameras beside the predicted clips:")
    for report in reports:
        for path in report.files:
            print(f"  {path.resolve()}")
    return 0 if any(report.successes for report in reports) else 1

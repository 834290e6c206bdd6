"""How often the scripted expert succeeds."""

from __future__ import annotations

import argparse

SUMMARY = "run the scripted expert on seeded scenes and report its success"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--task", default="pick_place,lift", help="task or tasks, by comma")
    parser.add_argument("--episodes", type=int, default=200, help="scenes of each task")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument(
        "--no-perturbation", action="store_true", help="no misses, drops, nudges and kicks"
    )


def run(args: argparse.Namespace) -> int:
    """Print the success of each task; exit status 1 if one is below 98 %."""
    from tqdm import tqdm

    from ..cell.simulation import Cell
    from ..cell.tasks import find_task
    from ..data.cell_episodes import record_episode
    from ..evaluation.report import wilson_interval

    cell = Cell()
    enough = True
    for name in args.task.split(","):
        task = find_task(name)
        failures = []
        for seed in tqdm(
            range(args.seed, args.seed + args.episodes), desc=name, unit="scene", disable=None
        ):
            episode = record_episode(
                cell, task, seed, args.split, perturb=not args.no_perturbation
            )
            if not episode.success:
                failures.append(f"seed {seed}: {cell.evaluate().outcome}")
        successes = args.episodes - len(failures)
        low, high = wilson_interval(successes, args.episodes)
        print(
            f"{name}: {successes}/{args.episodes} scenes of the {args.split} split "
            f"(seeds {args.seed}..{args.seed + args.episodes - 1}), "
            f"95 % interval {low:.1%} to {high:.1%}"
        )
        for failure in failures:
            print(f"  {failure}")
        enough &= successes >= 0.98 * args.episodes
    return 0 if enough else 1

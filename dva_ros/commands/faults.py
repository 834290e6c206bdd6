"""`python -m dva_ros faults`: disturb the running graph in every way, see what the robot does."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "inject faults into the running graph and check that the robot stops safely and goes on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--list", action="store_true", help="name the faults, and end")
    parser.add_argument("--only", default="", help="names of faults, separated by commas")
    parser.add_argument("--task", default="pick_place", help="its name, or package.module:Task")
    parser.add_argument("--seed", type=int, default=5000, help="first scene; the others follow")
    parser.add_argument(
        "--models",
        default="cpu",
        help="folder, or name in models/, with video/ and inverse_dynamics/",
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")


def run(args: argparse.Namespace) -> int:
    """Run the faults, print the table; 1 where one is not passed."""
    from rich.console import Console
    from tqdm import tqdm

    from ..faults.client.catalogue import catalogue
    from ..faults.client.suite import choose, run_faults
    from ..faults.report import TABLE_WIDTH, FaultResult, table, write_json
    from ..resources import model_path

    faults = choose(catalogue(), [name for name in args.only.split(",") if name])
    if args.list:
        for fault in faults:
            print(f"{fault.name:<40} {fault.what}")
        return 0
    results: list[FaultResult] = []
    with tqdm(total=len(faults), unit="fault", smoothing=0, disable=None) as bar:

        def report(result: FaultResult) -> None:
            results.append(result)
            for problem in result.problems:
                tqdm.write(f"{result.name}: {problem}")
            bar.set_postfix_str(result.name, refresh=False)
            bar.update()

        try:
            run_faults(faults, model_path(args.models), args.task, args.seed, report)
        except KeyboardInterrupt:
            tqdm.write("interrupted: the figures are of the faults so far")
    passed = sum(result.passed for result in results)
    title = f"{passed} of {len(results)} faults passed; {args.task}, scenes from {args.seed} on"
    Console(width=max(Console().width, TABLE_WIDTH)).print(table(results, title))
    if args.json is not None:
        write_json(args.json, results, args.task, args.seed)
        print(f"figures: {args.json}")
    return 0 if passed == len(faults) else 1

"""`python -m dva_ros record`: a cell's topics into an MCAP file."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "record a running cell into MCAP, its episodes marked by keys or services"
DEFAULT_OUTPUT = Path("recordings")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, help="folder of the files (%(default)s)"
    )
    parser.add_argument("--name", default="", help="of the file; the date and time by default")
    parser.add_argument("--task", default="", help="name of the task, for the marks")
    parser.add_argument(
        "--instruction", default="", help="in words, until one comes on the topic instruction"
    )
    parser.add_argument("--params-file", default="cell", help="parameters, or its name in config/")
    parser.add_argument("--namespace", default="", help="of the cell's topics")
    parser.add_argument("--compression", choices=("none", "lz4", "zstd"), default="none")
    parser.add_argument("--use-sim-time", action="store_true", help="take time from /clock")
    parser.add_argument(
        "--least-free-gb", type=float, default=2.0, help="space to leave on the disk (%(default)g)"
    )
    parser.add_argument(
        "--expert",
        type=int,
        default=0,
        metavar="N",
        help="start the simulated cell, let its scripted expert do N episodes of --task through "
        "the controller's topic, and mark them by the cell's own judgement",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first scene of --expert, in the split train"
    )


def run(args: argparse.Namespace) -> int:
    """Record until Ctrl-C, or until the expert has done its episodes."""
    if args.expert:
        return _record_expert(args)

    from ..nodes.recorder import RecorderNode
    from ..recordings.keys import TerminalKeys
    from ..ros.process import run_node

    with TerminalKeys() as keys:
        return run_node(lambda: RecorderNode(keys), _ros_arguments(args))


def _record_expert(args: argparse.Namespace) -> int:
    from ..cell.tasks import find_task, task_names
    from ..errors import UserError
    from ..recordings.client.expert import ExpertRecording, record_expert

    if not args.task:
        raise UserError(f"--expert needs --task, one of {', '.join(task_names())}")
    find_task(args.task)
    done = record_expert(ExpertRecording(args.task, args.expert, args.seed), _ros_arguments(args))
    print(
        f"{done.path}: {done.succeeded} of {args.expert} episodes succeeded, "
        f"{done.path.stat().st_size / 1e6:.1f} MB"
    )
    return 0


def _ros_arguments(args: argparse.Namespace) -> list[str]:
    import json

    from ..recordings.settings import recorder_parameters
    from ..resources import config_path

    path = config_path(args.params_file)
    arguments = ["--ros-args", "--params-file", str(path)]
    if args.namespace:
        arguments += ["-r", f"__ns:=/{args.namespace.strip('/')}"]
    values = {
        "output": str(args.output),
        "name": args.name,
        "task": args.task,
        "instruction": args.instruction,
        "compression": args.compression,
        "least_free_gb": float(args.least_free_gb),
        "use_sim_time": args.use_sim_time,
        **recorder_parameters(path),
    }
    for name, value in values.items():
        arguments += ["-p", f"{name}:={json.dumps(value, ensure_ascii=False)}"]
    return arguments

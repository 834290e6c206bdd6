"""`python -m dva_ros up`: the nodes and the simulated cell as processes."""

from __future__ import annotations

import argparse
import sys

SUMMARY = "start the nodes and the simulated cell as processes, until Ctrl-C"
EXIT_NODE_DIED = 1
RESPAWN_DELAY_S = 1.0
"""So that a node that cannot start does not keep the machine busy."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--config", default="cell", help="parameters file, or its name in config/")
    parser.add_argument(
        "--task", help="of the cell's first scene, by name, or your own as package.module:Task"
    )
    parser.add_argument("--no-cell", action="store_true", help="a real cell is running already")
    parser.add_argument(
        "--display", action="store_true", help="publish the imagined future as an image"
    )
    parser.add_argument("--namespace", default="", help="pushed before the nodes' names")
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warn", "error", "fatal")
    )
    parser.add_argument(
        "--use-sim-time", action="store_true", help="take time from the cell's /clock"
    )
    parser.add_argument(
        "--respawn", action="store_true", help="start a node again when it dies, instead of ending"
    )
    parser.add_argument(
        "--models", help="folder, or name in models/, with video/ and inverse_dynamics/"
    )


def run(args: argparse.Namespace) -> int:
    """Start all, wait for Ctrl-C, SIGTERM or a death, stop all in the reverse order."""
    import signal
    import threading

    from ..bringup.graph import CELL, GraphOptions, checkpoint_overrides
    from ..bringup.supervisor import Supervisor, wait_for_death
    from ..cell.tasks import find_task
    from ..errors import UserError
    from ..resources import config_path, model_path

    overrides = checkpoint_overrides(model_path(args.models)) if args.models else {}
    if args.task:
        if args.no_cell:
            raise UserError("--task is of the simulated cell: leave out --task or --no-cell")
        find_task(args.task)
        overrides[CELL] = {"task": args.task}
    options = GraphOptions(
        params_file=config_path(args.config),
        namespace=args.namespace,
        log_level=args.log_level,
        use_sim_time=args.use_sim_time,
        with_cell=not args.no_cell,
        with_display=args.display,
        overrides=overrides,
    )
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Supervisor(options, lambda line: print(line, flush=True)) as supervisor:
        print(f"up: {', '.join(node.name for node in options.nodes())}; Ctrl-C stops", flush=True)
        while (death := wait_for_death(supervisor, ended)) is not None:
            print(f"up: {death.describe()}", file=sys.stderr, flush=True)
            if not args.respawn:
                break
            ended.wait(RESPAWN_DELAY_S)
            supervisor.restart(death.name)
        print("up: stopping", flush=True)
    return 0 if death is None else EXIT_NODE_DIED

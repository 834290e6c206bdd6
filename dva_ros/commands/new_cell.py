"""``python -m dva_ros new-cell``: a configuration from live topics and a URDF."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dva_ros.errors import UserError

SUMMARY = "write the configuration of your own cell from its live topics and its URDF"

MEASURE_S = 3.0
INCOMPLETE = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="where the files go"
    )
    parser.add_argument("--force", action="store_true", help="write over existing files")
    parser.add_argument(
        "--urdf", type=Path, metavar="FILE", help="URDF or xacro; default: robot_description"
    )
    parser.add_argument(
        "--joint-limits",
        type=Path,
        metavar="FILE",
        help="the robot's own joint_limits.yaml (MoveIt's, say); goes before the URDF",
    )
    parser.add_argument(
        "--camera",
        action="append",
        default=[],
        metavar="NAME=TOPIC",
        help="a camera, from top to bottom; once for each; default: all that are found",
    )
    parser.add_argument(
        "--controller",
        action="append",
        default=[],
        metavar="NAME",
        help="a controller, once for each; default: all that are active",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1 / 3,
        help="share of the robot's limits on velocity and acceleration (default: a third)",
    )
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        help="checkpoints that may fit the cell, beside the project's own",
    )
    parser.add_argument("--no-topics", action="store_true", help="only read the URDF")
    parser.add_argument("--namespace", default="", help="of the cell's topics")
    parser.add_argument("--use-sim-time", action="store_true", help="stamps are of /clock")
    parser.add_argument(
        "--measure", type=float, default=MEASURE_S, metavar="S", help="how long to listen"
    )


def run(args: argparse.Namespace) -> int:
    """Look, write and say what is missing.

    Returns:
        0; 1 where something must be filled in or mended before the nodes can start.
    """
    from dva_ros.new_cell.checkpoints import find_trained
    from dva_ros.new_cell.files import require_free, write
    from dva_ros.new_cell.findings import LiveCell
    from dva_ros.new_cell.limits import read_limits
    from dva_ros.new_cell.proposal import Wishes, propose
    from dva_ros.resources import share_root
    from dva_ros.robot.description import Description

    if not 0 < args.speed <= 1:
        raise UserError(f"--speed must lie within 0 and 1, got {args.speed}")
    folder = args.output.expanduser().resolve()
    require_free(folder, args.force)
    description = Description.load(args.urdf) if args.urdf else None
    wishes = Wishes(
        cameras=_cameras(args.camera),
        controllers=args.controller,
        limits=read_limits(args.joint_limits) if args.joint_limits else {},
        speed=args.speed,
    )
    live = LiveCell()
    if not args.no_topics:
        from dva_ros.new_cell.client.probe import look

        print(f"listening to the cell for {args.measure:g} s ...", flush=True)
        live = look(args.measure, args.namespace, args.use_sim_time)
    if description is None and live.description:
        description = Description.parse(live.description, "of robot_description")
    models = [folder / "models", share_root() / "models", *([args.models] if args.models else [])]
    proposal = propose(live, description, wishes, folder, find_trained(models))
    for path in write(proposal, folder, args.force):
        print(f"wrote {path}")
    _print("found", proposal.found)
    _print("missing", proposal.missing)
    _print("next", proposal.steps)
    return INCOMPLETE if proposal.missing else 0


def _cameras(given: Sequence[str]) -> dict[str, str]:
    cameras = {}
    for text in given:
        name, equals, topic = text.partition("=")
        if not (name and equals and topic):
            raise UserError(f"--camera {text}: must be NAME=TOPIC, e.g. overhead=/top/image_raw")
        if name in cameras:
            raise UserError(f"--camera {name} is given twice")
        cameras[name] = topic.removeprefix("/")
    return cameras


def _print(title: str, lines: Sequence[str]) -> None:
    if lines:
        print(f"\n{title}:")
        for line in lines:
            print(f"  - {line}")

"""`python -m dva_ros import`: bags and LeRobot datasets into a training dataset."""

from __future__ import annotations

import argparse

SUMMARY = "turn rosbag2 recordings and LeRobot datasets into a training dataset (LeRobot v3)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    from ..recordings.import_arguments import add_source_arguments

    add_source_arguments(parser)
    parser.add_argument(
        "--resolution",
        choices=("native", "model"),
        default="native",
        help="store the cameras' own pictures (%(default)s), or what the model sees of them: "
        "for large cameras, since training decodes whole episodes into memory",
    )


def run(args: argparse.Namespace) -> int:
    """Import and say what was kept and what was lost."""
    from ..recordings.import_arguments import import_with_progress
    from ..recordings.importer import DatasetForm

    return import_with_progress(args, DatasetForm(as_model=args.resolution == "model"))

"""`python -m dva_ros export`: bags and datasets for others, as LeRobot v3."""

from __future__ import annotations

import argparse

SUMMARY = "turn recordings and datasets into a LeRobot v3 dataset for other projects"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    from ..recordings.import_arguments import add_source_arguments

    add_source_arguments(parser)
    parser.add_argument(
        "--fps", type=int, default=0, help="frames a second; the cell's by default"
    )
    parser.add_argument("--robot-type", default="dva_ros_cell", help="named in the dataset")


def run(args: argparse.Namespace) -> int:
    """As `import`, with the cameras' own pictures in the usual pixel format (yuv420p)."""
    from ..recordings.import_arguments import import_with_progress
    from ..recordings.importer import DatasetForm

    form = DatasetForm(pixel_format="yuv420p", robot_type=args.robot_type)
    return import_with_progress(args, form, fps=args.fps)

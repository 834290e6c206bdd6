"""`python -m dva_ros bench-cameras`: what three cameras cost in camera_context."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "three cameras of 640x480 at 30 Hz into camera_context: CPU, latency, losses"

MAX_SECONDS = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        help=f"length of the measurement, 2..{MAX_SECONDS:.0f}",
    )
    parser.add_argument(
        "--encoding",
        default="rgb8",
        help="rgb8, bgr8, bayer_rggb8, yuv422_yuy2, mono16 or jpeg",
    )
    parser.add_argument("--rectify", action="store_true", help="undo a lens's distortion")
    parser.add_argument(
        "--naive",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="measure a naive node as well, for as long again; of plain rgb8 alone",
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")


def run(args: argparse.Namespace) -> int:
    """Measure, print the table; 1 where something was lost."""
    from ..errors import UserError

    if not 2.0 <= args.seconds <= MAX_SECONDS:
        raise UserError(f"--seconds must be 2 to {MAX_SECONDS:.0f}")
    from ..benchmark.cameras.load import FORMATS, CameraLoad

    if args.encoding not in FORMATS:
        raise UserError(f"--encoding must be one of {', '.join(FORMATS)}")
    naive = args.naive and args.encoding == "rgb8" and not args.rectify
    load = CameraLoad(args.seconds, args.encoding, args.rectify)
    from rich.console import Console
    from tqdm import tqdm

    from ..benchmark.cameras.report import (
        lost,
        summary,
        table,
        write_json,
    )
    from ..benchmark.client.cameras.measure import measure_cameras

    nodes = 1 + naive
    with tqdm(total=nodes * args.seconds, unit="s", leave=False, disable=None) as bar:
        before = 0.0

        def progress(seconds: float) -> None:
            nonlocal before
            bar.update(round(seconds - before, 1) if seconds > before else 0)
            before = seconds

        found = measure_cameras(load, naive, progress)
    Console().print(table(found))
    for line in summary(found):
        print(line)
    if args.json is not None:
        write_json(args.json, found)
        print(f"figures: {args.json}")
    return 1 if lost(found) else 0

"""The option `--time-scaling` of the commands that run a cell."""

from __future__ import annotations

import argparse

from ..errors import UserError
from ..renamed_options import add_deprecated_name

AUTO = "auto"


def add_speed_argument(parser: argparse.ArgumentParser, default: str) -> None:
    """Declare it."""
    option = parser.add_argument(
        "--time-scaling",
        default=default,
        metavar="SHARE",
        help="speed at which imagined motion is played: 1 as it was trained, less where latency "
        f"is long; '{AUTO}': so that two frames cover the latency (%(default)s)",
    )
    add_deprecated_name(parser, option, "--speed-scaling")


def read_speed(text: str) -> float | None:
    """The share, or None for 'auto'.

    Raises:
        UserError: neither.
    """
    if text == AUTO:
        return None
    try:
        share = float(text)
    except ValueError:
        share = float("nan")
    if not 0.05 <= share <= 1.0:
        raise UserError(f"--time-scaling takes a number from 0.05 to 1, or '{AUTO}', not '{text}'")
    return share

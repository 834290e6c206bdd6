"""The option `--speed-scaling` of the commands that run a cell."""

from __future__ import annotations

import argparse

from ..errors import UserError

AUTO = "auto"


def add_speed_argument(parser: argparse.ArgumentParser, default: str) -> None:
    """Declare it."""
    parser.add_argument(
        "--speed-scaling",
        default=default,
        metavar="SHARE",
        help="speed at which imagined motion is played: 1 as it was trained, less where latency "
        f"is long; '{AUTO}': so that two frames cover the latency (%(default)s)",
    )


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
        raise UserError(
            f"--speed-scaling takes a number from 0.05 to 1, or '{AUTO}', not '{text}'"
        )
    return share

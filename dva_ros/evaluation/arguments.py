"""Options that the commands which run closed-loop episodes share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..errors import UserError
from ..renamed_options import add_deprecated_name

AUTO = "auto"


POLICIES = {
    "model": "the checkpoints of --models",
    "expert": "the scripted expert, asked anew every time: fast, and it reacts",
    "expert-replay": "the expert's recorded motion, which does not react",
}


def add_scene_arguments(
    parser: argparse.ArgumentParser, task: str | None = "pick_place", episodes: int | None = 20
) -> None:
    """Declare which episodes run.

    Args:
        parser: of the command.
        task: default of ``--task``; None where it must be given.
        episodes: default of ``--episodes``; None for no such option.
    """
    parser.add_argument(
        "--task", default=task, required=task is None, help="its name, or package.module:Task"
    )
    if episodes is not None:
        parser.add_argument(
            "--episodes", type=int, default=episodes, help="for every row (%(default)d)"
        )
    parser.add_argument("--seed", type=int, default=0, help="first scene; the others follow")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")


def add_policy_arguments(
    parser: argparse.ArgumentParser, policies: Sequence[str] = tuple(POLICIES)
) -> None:
    """Declare who decides: ``--policy`` and ``--models``."""
    parser.add_argument(
        "--policy",
        choices=tuple(policies),
        default="model",
        help="; ".join(f"{policy}: {POLICIES[policy]}" for policy in policies),
    )
    parser.add_argument(
        "--models",
        default="cpu",
        help="folder, or name in models/, with video/ and inverse_dynamics/ (%(default)s)",
    )


def add_latency_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the modelled latency of runs in process."""
    parser.add_argument(
        "--latency-ms",
        type=float,
        default=250.0,
        help="modelled latency, in process (%(default)g)",
    )
    parser.add_argument(
        "--jitter-ms", type=float, default=0.0, help="standard deviation of it (%(default)g)"
    )


def add_limit_arguments(parser: argparse.ArgumentParser, workers: bool = True) -> None:
    """Declare ``--max-seconds`` and, for runs in several processes, ``--workers``."""
    parser.add_argument(
        "--max-seconds", type=float, default=20.0, help="limit of an episode (%(default)g)"
    )
    if workers:
        parser.add_argument("--workers", type=int, default=2, help="processes (%(default)d)")


def add_speed_argument(parser: argparse.ArgumentParser, default: str) -> None:
    """Declare ``--time-scaling``."""
    option = parser.add_argument(
        "--time-scaling",
        default=default,
        metavar="SHARE",
        help="speed at which predicted motion is executed: 1 as it was trained, less where "
        f"latency is long; '{AUTO}': so that two frames cover the latency (%(default)s)",
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

"""`python -m dva_ros bench`: what a frame and a prediction cost, with the KV cache and without."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "time the video model by length of context, with its KV cache and without"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="a video checkpoint; random weights of the default architecture without it",
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--repeats", type=int, default=20, help="timed calls of each kind")
    parser.add_argument("--steps", type=int, help="denoising steps; the model's default without")
    parser.add_argument("--threads", type=int, help="threads; all cores without")


def run(args: argparse.Namespace) -> int:
    """Measure, print a table, and write the figures if asked to."""
    import os

    import torch

    from ..video.benchmark import measure

    torch.set_num_threads(args.threads or os.cpu_count() or 1)
    report = measure(args.checkpoint, repeats=args.repeats, num_steps=args.steps)
    print(report.table())
    if args.json is not None:
        report.write_json(args.json)
    return 0

"""`python -m dva_ros train`: train the video model or the inverse dynamics model."""

from __future__ import annotations

import argparse
from importlib import import_module

SUMMARY = "train the video model or the inverse dynamics model"

_MODELS = {
    "video": ("dva_ros.training.video_loop", "the causal video model"),
    "idm": ("dva_ros.training.idm_loop", "the inverse dynamics model"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare one sub-verb for each model."""
    models = parser.add_subparsers(dest="model", required=True, metavar="MODEL")
    for name, (module, summary) in _MODELS.items():
        import_module(module).add_arguments(models.add_parser(name, help=summary))


def run(args: argparse.Namespace) -> int:
    """Dispatch to the model's loop."""
    module, _ = _MODELS[args.model]
    result: int = import_module(module).run(args)
    return result

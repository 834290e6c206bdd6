"""``python -m dva_ros recipe FILE``: everything that makes a checkpoint, from nothing."""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..training.recipes.runner import RecipeRunner

SUMMARY = "make a checkpoint from a recipe file; goes on where it was interrupted"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", type=Path, help="the recipe, for example recipes/cpu.yaml")
    parser.add_argument(
        "--output", type=Path, help="folder of all results; by default runs/NAME of the recipe"
    )
    parser.add_argument("--until", metavar="STAGE", help="stop after this stage")
    parser.add_argument("--list", action="store_true", help="print the stages and what is done")


def run(args: argparse.Namespace) -> int:
    """Check all stages first, then run what is not done, and write the card."""
    from ..training.recipes.card import write_card
    from ..training.recipes.recipe import load_recipe
    from ..training.recipes.runner import RecipeRunner

    recipe = load_recipe(args.file)
    runner = RecipeRunner(recipe, args.output or Path("runs") / recipe.name)
    for stage in recipe.stages:
        _check(stage.name, runner.command(stage))
    if args.list:
        _print_stages(runner)
        return 0
    try:
        runner.run(args.until, lambda line: print(line, flush=True))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here")
        raise
    if runner.stamp(recipe.stage(recipe.result)) is not None:
        card = write_card(runner)
        print(f"checkpoint: {card.parent}\ncard: {card}")
    return 0


def _check(stage: str, command: list[str]) -> None:
    """Let the command's own parser judge the options."""
    from ..__main__ import build_parser
    from ..errors import UserError

    if not command:
        return
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            build_parser(command[:1]).parse_args(command)
    except SystemExit as error:
        reason = said.getvalue().strip().splitlines()[-1].partition("error: ")[2]
        raise UserError(
            f"stage {stage}: {reason} (python -m dva_ros {command[0]} --help)"
        ) from error


def _print_stages(runner: RecipeRunner) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table("stage", "state", "minutes", "command", box=SIMPLE_HEAD)
    for stage in runner.recipe.stages:
        stamp, folder = runner.stamp(stage), runner.folders[stage.name]
        state = "done" if stamp else "begun" if folder.exists() else "to do"
        minutes = f"{stamp.seconds / 60:.1f}" if stamp else ""
        command = shlex.join(stamp.command if stamp else runner.command(stage))
        table.add_row(stage.name, state, minutes, command or "bundle")
    Console().print(table)

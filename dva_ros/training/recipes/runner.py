"""Runs the stages of a recipe, goes on where it was interrupted, and skips what is done.

The result of a stage lies in a folder that is named by the stage and its key, so that a changed
stage, and what depends on it, run anew and nothing is overwritten. A stage is done when its
folder has a `STAMP`.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from ...errors import UserError
from .recipe import Recipe, Stage, arguments

STAMP = "stage.json"
STATES = {"train-video": "training_state.pt", "train-idm": "state.pt"}
"""Files from which an interrupted training goes on."""


@dataclass(frozen=True)
class Stamp:
    """What is known of a finished stage.

    Attributes:
        key: of the stage.
        command: that ran, behind ``python -m dva_ros``.
        seconds: wall time of all its parts.
        finished: date and time, UTC.
    """

    key: str
    command: list[str]
    seconds: float
    finished: str


class RecipeRunner:
    """A recipe and the folder in which it works.

    Attributes:
        recipe: to be run.
        work: folder of all results.
    """

    def __init__(self, recipe: Recipe, work: Path) -> None:
        self.recipe = recipe
        self.work = work
        self.folders = {stage.name: work / stage.folder for stage in recipe.stages}

    def stamp(self, stage: Stage) -> Stamp | None:
        """Of a finished stage, None where it is not finished."""
        path = self.folders[stage.name] / STAMP
        try:
            return Stamp(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{path} cannot be read ({error}); remove it to run it again"
            ) from error

    def command(self, stage: Stage) -> list[str]:
        """Its command line behind ``python -m dva_ros``, which goes on with what is there."""
        folder = self.folders[stage.name]
        line = arguments(stage, self.folders, folder)
        state = STATES.get(stage.kind)
        if state is not None and (folder / state).exists():
            line.append("--resume")
        return line

    def run(self, until: str | None, say: Callable[[str], object]) -> None:
        """Run what is not done, in order.

        Args:
            until: last stage to run; None for all.
            say: is given a line for every stage.

        Raises:
            UserError: a stage failed.
            KeyboardInterrupt: the stage that ran has saved its state.
        """
        if until is not None:
            self.recipe.stage(until)
        for number, stage in enumerate(self.recipe.stages, start=1):
            head = f"[{number}/{len(self.recipe.stages)}] {stage.name}"
            done = self.stamp(stage)
            if done is not None:
                say(f"{head}: done {done.finished}, {done.seconds / 60:.1f} min")
            else:
                say(f"{head}: {' '.join(self.command(stage)) or 'bundle'}")
                self._run(stage)
            if stage.name == until:
                return

    def _run(self, stage: Stage) -> None:
        folder = self.folders[stage.name]
        spent = folder.with_name(f".{folder.name}.seconds")
        before = float(spent.read_text()) if spent.exists() else 0.0
        self.work.mkdir(parents=True, exist_ok=True)
        if stage.kind in ("evaluate", "bundle"):
            folder.mkdir(exist_ok=True)
        command, begun = self.command(stage), time.monotonic()
        try:
            if stage.kind == "bundle":
                _bundle(stage, self.folders, folder)
            else:
                _call(stage, command)
        finally:
            seconds = before + time.monotonic() - begun
            spent.write_text(f"{seconds:.1f}")
        spent.unlink()
        finished = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M")
        stamp = Stamp(stage.key, command, round(seconds, 1), finished)
        (folder / STAMP).write_text(json.dumps(asdict(stamp), indent=2) + "\n")


def _call(stage: Stage, command: list[str]) -> None:
    """Run a command of this project; an interrupt is handed on to it once, and waited for."""
    process = subprocess.Popen([sys.executable, "-m", "dva_ros", *command], start_new_session=True)
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    if status:
        raise UserError(f"stage {stage.name} failed with exit status {status}")


def _bundle(stage: Stage, folders: dict[str, Path], output: Path) -> None:
    for part, name in (("video", "video"), ("idm", "inverse_dynamics")):
        source = folders.get(str(stage.options[part]), Path(str(stage.options[part])))
        target = output / name
        target.mkdir(parents=True, exist_ok=True)
        for file in ("model.safetensors", "config.yaml", "README.md"):
            if (source / file).exists():
                shutil.copy2(source / file, target / file)
            elif file != "README.md":
                raise UserError(f"stage {stage.name}: {source} has no {file}")

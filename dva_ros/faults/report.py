"""Results of the fault suite as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..evaluation.command_log import CommandWindow

TABLE_WIDTH = 150


@dataclass(frozen=True)
class FaultResult:
    """What a fault did.

    Attributes:
        name: of the fault.
        what: happened, in words.
        standstill_s: from the fault to rest; None where the robot went on.
        braking_s: from the last message to rest, as the wire says; None where it went on.
        commands: what the controller commanded from the fault to recovery.
        last_message: of the fault, in words.
        reason: what the scheduler said first.
        recovery_s: from the end of the fault to a new chunk in motion; None where none came.
        problems: what was not as it must be; none where the fault is passed.
    """

    name: str
    what: str
    standstill_s: float | None
    braking_s: float | None
    commands: CommandWindow
    last_message: str
    reason: str
    recovery_s: float | None
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Everything was as it must be."""
        return not self.problems


def table(results: Sequence[FaultResult], title: str) -> Table:
    """One line a fault; what was wrong below it."""
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    shown.add_column("fault", no_wrap=True)
    for column in (
        "stands\nafter s",
        "braking\ns",
        "velocity\nrad/s",
        "jerk\nrad/s³",
        "goes on\nafter s",
    ):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("last message")
    shown.add_column("the scheduler says")
    for result in results:
        commands = result.commands
        shown.add_row(
            result.name,
            _seconds(result.standstill_s),
            _seconds(result.braking_s),
            f"{commands.max_velocity_rad_s:.2f}",
            f"{commands.max_jerk_rad_s3:.0f}",
            _seconds(result.recovery_s),
            result.last_message,
            result.reason,
            style=None if result.passed else "bold red",
        )
        for problem in result.problems:
            shown.add_row(f"  {problem}", style="red")
    return shown


def write_json(path: Path, results: Sequence[FaultResult], task: str, seed: int) -> None:
    """The figures, under `faults`."""
    rows = [
        {
            "name": result.name,
            "what": result.what,
            "passed": result.passed,
            "standstill_s": result.standstill_s,
            "braking_s": result.braking_s,
            "max_velocity_rad_s": result.commands.max_velocity_rad_s,
            "max_jerk_rad_s3": result.commands.max_jerk_rad_s3,
            "last_message": result.last_message,
            "reason": result.reason,
            "recovered": result.recovery_s is not None,
            "recovery_s": result.recovery_s,
            "problems": list(result.problems),
        }
        for result in results
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"task": task, "seed": seed, "faults": rows}, indent=2) + "\n")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"

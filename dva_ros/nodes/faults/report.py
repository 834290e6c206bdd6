"""Results of the fault suite as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .suite import FaultResult

TABLE_WIDTH = 150


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
            result.fault.name,
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
            "name": result.fault.name,
            "what": result.fault.what,
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

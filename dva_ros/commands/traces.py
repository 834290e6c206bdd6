"""`python -m dva_ros traces`: hold the controller's emulation to traces of the real one."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "compare the joint_trajectory_controller emulation with traces of the real one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="traces, e.g. jtc_traces.json")
    parser.add_argument("--version", help="only this version of ros2_controllers, e.g. 4.42.1")
    parser.add_argument("--scenario", help="only this scenario")


def run(args: argparse.Namespace) -> int:
    """Replay the file's scenarios and print the deviations; 1 where one is out of tolerance."""
    from rich.console import Console
    from rich.table import Table

    from dva_ros.cell.controller.generation import Generation
    from dva_ros.cell.controller.replay import replay
    from dva_ros.cell.controller.trace_file import read_traces
    from dva_ros.errors import UserError

    file = read_traces(args.file)
    if args.version is not None:
        Generation.parse(args.version)
    scenarios = [s for s in file.scenarios if args.scenario in (None, s.name)]
    if not scenarios:
        names = ", ".join(s.name for s in file.scenarios)
        wanted = "no scenario" if args.scenario is None else f"no scenario {args.scenario!r}"
        raise UserError(f"{args.file} has {wanted}; it has {names or 'none at all'}")
    runs = [
        (scenario, version)
        for scenario in scenarios
        for version in scenario.traces
        if args.version in (None, version)
    ]
    if not runs:
        versions = sorted({version for s in scenarios for version in s.traces})
        raise UserError(
            f"{args.file} holds no trace of version {args.version} for what was asked, only of "
            + ", ".join(versions)
        )

    table = Table("scenario", "version", title=f"Greatest deviation from {args.file.name}")
    for unit in ("position", "velocity", "acceleration", "command"):
        table.add_column(unit, justify="right")
    table.add_column("accepted")
    table.add_column("installed")
    failures = 0
    for scenario, version in runs:
        deviation = replay(file, scenario, version)
        good = deviation.within(file.tolerances)
        failures += not good
        table.add_row(
            scenario.name,
            version,
            f"{deviation.position:.1e}",
            f"{deviation.velocity:.1e}",
            f"{deviation.acceleration:.1e}",
            "-" if deviation.command is None else f"{deviation.command:.1e}",
            "same" if deviation.accepted else "DIFFERENT",
            deviation.installed or "same",
            style=None if good else "bold red",
        )
    console = Console()
    if not console.is_terminal:
        console.width = 140
    console.print(table)
    limits = file.tolerances
    console.print(
        f"{len(runs) - failures} of {len(runs)} traces ({len(scenarios)} scenarios) reproduced "
        f"within {limits.position:g} rad, {limits.velocity:g} rad/s, "
        f"{limits.acceleration:g} rad/s²"
        + (f"; [bold red]{failures} out of tolerance[/]" if failures else ""),
        highlight=False,
    )
    return 1 if failures else 0

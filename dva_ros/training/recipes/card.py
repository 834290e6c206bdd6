"""The card of a recipe's result: what was run, how long it took, what was measured."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from .runner import RecipeRunner

CARD = "README.md"


def write_card(runner: RecipeRunner) -> Path:
    """Write the card beside the checkpoints of the recipe's result.

    Every number in it is read from the files that the stages wrote.
    """
    recipe = runner.recipe
    rows, results, minutes = [], [], 0.0
    for stage in recipe.stages:
        stamp = runner.stamp(stage)
        if stamp is None:
            continue
        minutes += stamp.seconds / 60
        command = shlex.join(["python", "-m", "dva_ros", *stamp.command]) if stamp.command else ""
        rows.append(f"| {stage.name} | {stamp.seconds / 60:.1f} | `{command or 'bundle'}` |")
        report = runner.folders[stage.name] / "report.json"
        if stage.kind == "evaluate" and report.exists():
            results.append(_result(json.loads(report.read_text())))
    path = runner.folders[recipe.result] / CARD
    path.write_text(f"""# {recipe.name}

{recipe.summary}

Made by `python -m dva_ros recipe recipes/{recipe.name}.yaml` in {minutes:.0f} minutes.

## Success

| task | split and seeds | success (95 % interval) | latency |
|---|---|---|---|
{chr(10).join(results) or "| not measured | | | |"}

## Stages

| stage | minutes | command |
|---|---|---|
{chr(10).join(rows)}
""")
    return path


def _result(report: dict[str, Any]) -> str:
    seeds = report["seeds"]
    low, high = report["success_interval_95"]
    return (
        f"| `{report['task']}` | {report['split']}, {seeds[0]} to {seeds[-1]} "
        f"| {report['successes']}/{report['episodes']} ({low:.0%} to {high:.0%}) "
        f"| {report['latency_ms']['p50']:.0f} ms |"
    )

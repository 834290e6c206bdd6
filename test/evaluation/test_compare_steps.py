"""The verb from end to end, with small untrained models."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from dva_ros.__main__ import main
from dva_ros.commands import compare_steps
from dva_ros.evaluation.step_comparison import StepRow, pareto_front


def _compare(models: Path, *arguments: str) -> int:
    common = ["--models", str(models), "--episodes", "2", "--workers", "1", "--task", "lift"]
    return main(["compare-steps", *common, *arguments])


@pytest.mark.slow
def test_rows_plot_and_figures_of_every_number_of_steps(
    tiny_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """More steps cost more; both rows are of the same scenes."""
    figures = tmp_path / "figures.json"
    options = ("--steps", "1,8", "--output", str(tmp_path), "--json", str(figures))
    assert _compare(tiny_models, *options) == 0
    one, eight = json.loads(figures.read_text())["rows"]
    assert (one["num_steps"], eight["num_steps"]) == (1, 8)
    assert one["episodes"] == eight["episodes"] == 2
    assert 0 < one["p50_ms"] < eight["p50_ms"]
    assert (tmp_path / "steps.png").stat().st_size > 10_000
    assert "seeds 0..1" in capsys.readouterr().out


def test_the_front_holds_what_nothing_else_beats() -> None:
    """A costlier row must succeed more often; of two equal ones both stay."""

    def row(steps: int, p50_ms: float, success: float) -> StepRow:
        return StepRow("cpu", steps, 60, success, (0.0, 1.0), p50_ms, p50_ms, 0.0, 0.0)

    cheap, middle, dear = row(1, 40, 0.87), row(2, 60, 0.85), row(4, 99, 0.92)
    twin, costly = row(1, 40, 0.87), row(8, 165, 0.92)
    front = pareto_front([costly, middle, dear, cheap, twin])
    assert front == [cheap, twin, dear]


def test_a_checkpoint_can_have_its_own_number_of_steps(tmp_path: Path) -> None:
    """`FOLDER:1` beside folders that are measured with all."""
    parser = argparse.ArgumentParser()
    compare_steps.add_arguments(parser)
    args = parser.parse_args(["--models", f"cpu,{tmp_path}:1", "--steps", "2,8"])
    jobs = [(job.models.name, job.num_steps) for job in compare_steps._jobs(args)]
    assert jobs == [("cpu", 2), ("cpu", 8), (tmp_path.name, 1)]


@pytest.mark.parametrize("models", ["cpu:0", "cpu:two"])
def test_numbers_of_a_checkpoint_that_make_no_sense_are_refused(models: str) -> None:
    assert main(["compare-steps", "--models", models]) == 2


@pytest.mark.parametrize("steps", ["0", "two", "1,-1"])
def test_steps_that_make_no_sense_are_refused(tiny_models: Path, steps: str) -> None:
    assert _compare(tiny_models, "--steps", steps) == 2

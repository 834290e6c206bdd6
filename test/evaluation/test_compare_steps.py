"""The verb from end to end, with small untrained models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dva_ros.__main__ import main


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


@pytest.mark.parametrize("steps", ["0", "two", "1,-1"])
def test_steps_that_make_no_sense_are_refused(tiny_models: Path, steps: str) -> None:
    assert _compare(tiny_models, "--steps", steps) == 2

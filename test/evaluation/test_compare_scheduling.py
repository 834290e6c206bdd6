"""The verb from end to end, with the expert as policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dva_ros.__main__ import main

ROW_KEYS = {
    "scheduler",
    "latency_ms",
    "time_scaling",
    "success",
    "idle_s",
    "max_position_step_rad",
    "max_velocity_step_rad_s",
    "rms_jerk",
    "cycle_s",
}

FULL_SPEED = ("--time-scaling", "1")


def _compare(folder: Path, *arguments: str) -> int:
    return main(
        [
            "compare-scheduling",
            "--policy",
            "expert",
            "--task",
            "lift",
            "--episodes",
            "1",
            "--workers",
            "1",
            "--max-seconds",
            "6",
            "--output",
            str(folder),
            *arguments,
        ]
    )


def test_rows_plot_and_table_and_rows_that_are_done_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two schedulers at one latency; then at two, of which the first comes from the folder."""
    figures = tmp_path / "figures.json"
    assert (
        _compare(tmp_path, "--latency", "200", "--schedulers", "leapfrog,naive", *FULL_SPEED) == 0
    )
    content = json.loads((tmp_path / "rows.json").read_text())
    content["rows"][0]["cycle_s"] = 123.0
    (tmp_path / "rows.json").write_text(json.dumps(content))
    capsys.readouterr()

    assert (
        _compare(
            tmp_path,
            "--latency",
            "200,600",
            "--schedulers",
            "leapfrog,naive",
            "--json",
            str(figures),
            *FULL_SPEED,
        )
        == 0
    )
    rows = {
        (row["scheduler"], row["latency_ms"]): row
        for row in json.loads(figures.read_text())["rows"]
    }
    assert set(rows) == {(s, ms) for s in ("leapfrog", "naive") for ms in (200.0, 600.0)}
    assert all(row.keys() >= ROW_KEYS for row in rows.values())
    assert rows["leapfrog", 200.0]["cycle_s"] == 123.0
    leapfrog, naive = rows["leapfrog", 200.0], rows["naive", 200.0]
    assert leapfrog["success"] == 1.0
    assert leapfrog["idle_s"] == pytest.approx(0.0, abs=1e-6)
    assert leapfrog["max_position_step_rad"] < 1e-6
    assert 0 < leapfrog["rms_jerk"] < naive["rms_jerk"]
    assert naive["max_velocity_step_rad_s"] > leapfrog["max_velocity_step_rad_s"]
    assert (tmp_path / "comparison.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "naive" in printed
    assert "H = 8 < 2d = 12" in printed


def test_a_latency_that_the_horizon_cannot_cover_is_a_refusal_with_its_figures(
    tmp_path: Path,
) -> None:
    """The robot stays: no success, idle all the time, no motion."""
    assert _compare(tmp_path, "--latency", "600", "--schedulers", "leapfrog", *FULL_SPEED) == 0
    (row,) = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert (row["success"], row["idle_s"], row["rms_jerk"]) == (0.0, 6.0, 0.0)
    assert "H = 8 < 2d = 12" in row["refusal"]


def test_by_default_motion_is_as_slow_as_the_latency_needs(tmp_path: Path) -> None:
    """No speed given: at 600 ms leapfrog plays a third of it, and the box is lifted."""
    arguments = ("--latency", "600", "--schedulers", "leapfrog", "--max-seconds", "20")
    assert _compare(tmp_path, *arguments) == 0
    (row,) = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert row["time_scaling"] == pytest.approx(1 / 3)
    assert (row["refusal"], row["success"], row["idle_s"]) == ("", 1.0, 0.0)
    assert row["cycle_s"] >= 0.6


def test_rows_of_other_scenes_are_not_mixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another seed or another lead in the same folder is an error that says so."""
    arguments = ["--latency", "600", "--schedulers", "leapfrog", *FULL_SPEED]
    assert _compare(tmp_path, *arguments) == 0
    assert _compare(tmp_path, *arguments, "--seed", "5") == 2
    assert "seed" in capsys.readouterr().err
    assert _compare(tmp_path, *arguments, "--lead-ms", "80") == 2
    assert "lead_s" in capsys.readouterr().err
    assert _compare(tmp_path, *arguments, "--time-scaling", "auto") == 2
    assert "time_scaling" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--latency", "fast"], "--latency"),
        (["--latency", "-100"], "--latency"),
        (["--lead-ms", "10"], "two controller periods"),
        (["--schedulers", "clairvoyant"], "temporal_ensembling"),
        (["--time-scaling", "fast"], "from 0.05 to 1, or 'auto'"),
        (["--time-scaling", "2"], "from 0.05 to 1, or 'auto'"),
        (["--task", "juggle"], "pick_place"),
    ],
)
def test_bad_options_are_named(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 and a line that says what there is."""
    assert _compare(tmp_path, *arguments) == 2
    assert message in capsys.readouterr().err

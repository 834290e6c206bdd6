"""`generate --intervention-from`: the shipped models drive, then the expert."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dva_ros.__main__ import main
from dva_ros.data.store import EpisodeStore
from dva_ros.resources import model_path
from dva_ros.spec import EMBEDDED_CELL


def test_an_intervention_is_recorded_with_the_policys_part_marked(tmp_path: Path) -> None:
    """A dataset like others: first frames that teach nothing, then the expert's, to success."""
    root, models = tmp_path / "data", model_path("cpu/video").parent
    command = ["generate", "--task", "lift", "--episodes", "1", "--workers", "1", "--seed", "3"]
    assert main([*command, "--output", str(root), "--intervention-from", str(models)]) == 0
    store = EpisodeStore.open([root], EMBEDDED_CELL, workers=1)
    first_clean = int(np.argmax(store.clean))
    assert first_clean > 4, "the policy drove for 0.4 s at least"
    assert not store.clean[:first_clean].any()
    assert store.clean[first_clean:].all()
    assert store.success.all()
    kept = json.loads((root / "meta/generation.json").read_text())
    assert kept["policy"] == str(models)
    assert kept["policy_latency_ms"] == 250.0


def test_late_interventions_leave_out_what_the_policy_can_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a minute is enough for the shipped model to lift: no expert, no episode."""
    root, models = tmp_path / "data", model_path("cpu/video").parent
    command = ["generate", "--task", "lift", "--episodes", "1", "--workers", "1", "--seed", "3"]
    command += [
        "--output",
        str(root),
        "--intervention-from",
        str(models),
        "--intervention-between",
    ]
    assert main([*command, "6", "5"]) == 2
    assert "--intervention-between" in capsys.readouterr().err
    assert main([*command, "30", "30"]) == 0
    assert "0 episodes" in capsys.readouterr().out
    assert json.loads((root / "meta/generation.json").read_text())["intervention_from_s"] == 30.0


def test_a_dataset_is_of_one_latency(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a slower machine's mistakes lead to is another dataset, and a negative latency none."""
    root, models = tmp_path / "data", model_path("cpu/video").parent
    command = ["generate", "--task", "lift", "--episodes", "1", "--workers", "1", "--seed", "3"]
    command += ["--output", str(root), "--intervention-from", str(models)]
    assert main([*command, "--intervention-latency-ms", "400"]) == 0
    kept = json.loads((root / "meta/generation.json").read_text())
    assert kept["policy_latency_ms"] == 400.0
    assert main(command) == 2
    assert "policy_latency_ms = 400.0" in capsys.readouterr().err
    assert main([*command, "--intervention-latency-ms", "-1"]) == 2
    assert "--intervention-latency-ms" in capsys.readouterr().err


def test_random_motion_has_no_expert_to_take_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "generate",
        "--random-motion",
        "--episodes",
        "1",
        "--intervention-from",
        "models/cpu",
    ]
    assert main([*command, "--output", str(tmp_path / "data")]) == 2
    assert "--intervention-from needs a task" in capsys.readouterr().err

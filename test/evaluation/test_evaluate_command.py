"""The command with real, small, untrained checkpoints: everything runs, nothing succeeds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dva_ros.__main__ import main
from dva_ros.evaluation.schedulers.registry import SCHEDULERS
from dva_ros.inverse_dynamics.checkpoint import save_checkpoint as save_inverse_dynamics
from dva_ros.inverse_dynamics.config import InverseDynamicsConfig
from dva_ros.inverse_dynamics.model import InverseDynamicsNet
from dva_ros.inverse_dynamics.statistics import JointStatistics
from dva_ros.spec import EMBEDDED_CELL
from dva_ros.video.checkpoint import save_checkpoint as save_video
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.model import VideoModel

JOINTS = EMBEDDED_CELL.num_joints


def _models(folder: Path, decoder_horizon: int = 8) -> Path:
    torch.manual_seed(0)
    video = VideoModelConfig(
        EMBEDDED_CELL, (0.0,) * JOINTS, (1.0,) * JOINTS, width=32, depth=1, heads=2
    )
    save_video(folder / "video", video, VideoModel(video).state_dict())
    decoder = InverseDynamicsConfig(
        channels=(8, 16, 16),
        map_channels=4,
        keypoints=8,
        width=32,
        depth=1,
        heads=2,
        horizon=decoder_horizon,
    )
    ones = np.ones(JOINTS, np.float32)
    statistics = JointStatistics(0 * ones, ones, 0.001 * ones)
    weights = dict(InverseDynamicsNet(decoder).state_dict())
    save_inverse_dynamics(folder / "inverse_dynamics", decoder, statistics, weights, "# card\n")
    return folder


def test_untrained_models_run_and_fail_the_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way from camera to controller, with film and figures."""
    figures, film = tmp_path / "figures.json", tmp_path / "film.mp4"
    status = main(
        [
            "evaluate",
            "--task",
            "lift",
            "--episodes",
            "1",
            "--seed",
            "7",
            "--workers",
            "1",
            "--max-seconds",
            "1.5",
            "--models",
            str(_models(tmp_path / "models")),
            "--steps",
            "1",
            "--json",
            str(figures),
            "--video",
            str(film),
        ]
    )
    assert status == 0
    values = json.loads(figures.read_text())
    assert (values["episodes"], values["successes"], values["seeds"]) == (1, 0, [7])
    assert values["predictions_per_second"] > 2
    assert values["idle_s"] == 0.0
    assert values["velocity_step_ratio"] <= 1.005
    assert values["compute_ms"]["p50"] > 0
    assert sum(values["failures"].values()) == 1
    assert film.exists()
    assert film.with_suffix(".png").exists()
    assert "0/1" in capsys.readouterr().out


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_runs_with_the_models(scheduler: str, tmp_path: Path) -> None:
    """Also real-time chunking, whose guidance differentiates through the video model."""
    figures = tmp_path / "figures.json"
    status = main(
        [
            "evaluate",
            "--task",
            "lift",
            "--episodes",
            "1",
            "--workers",
            "1",
            "--max-seconds",
            "2",
            "--models",
            str(_models(tmp_path / "models")),
            "--steps",
            "1",
            "--latency-ms",
            "200",
            "--scheduler",
            scheduler,
            "--json",
            str(figures),
        ]
    )
    assert status == 0
    values = json.loads(figures.read_text())
    assert values["scheduler"] == scheduler
    assert values["predictions_per_second"] > 0.9
    assert values["refusals"] == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--episodes", "0"], "--episodes"),
        (["--scheduler", "clairvoyant", "--policy", "expert"], "temporal_ensembling"),
        (["--scheduler", "naive", "--ros"], "leave --ros out"),
        (["--latency-ms", "-1"], "--latency-ms"),
        (["--models", "no_such_model"], "no_such_model"),
    ],
)
def test_bad_options_are_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 and a line that says which option."""
    assert main(["evaluate", "--task", "lift", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_checkpoints_of_different_horizons_are_refused(
    workers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A decoder for other clips is named before anything moves."""
    models = _models(tmp_path / "models", decoder_horizon=6)
    arguments = ["evaluate", "--task", "lift", "--episodes", "2", "--workers", workers]
    assert main([*arguments, "--models", str(models)]) == 2
    assert "horizon" in capsys.readouterr().err


def test_auto_speed_counts_jitter_and_needs_a_latency_that_is_modelled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """210 ms with a deviation of 40 have a p99 of 303: frames of 0.16 s. With nodes: an error."""
    figures = tmp_path / "figures.json"
    arguments = ["evaluate", "--task", "lift", "--episodes", "1", "--policy", "expert"]
    arguments += ["--workers", "1", "--max-seconds", "1", "--time-scaling", "auto"]
    timing = ["--latency-ms", "210", "--jitter-ms", "40", "--json", str(figures)]
    assert main([*arguments, *timing]) == 0
    assert json.loads(figures.read_text())["time_scaling"] == pytest.approx(0.1 / 0.16)
    capsys.readouterr()
    assert main([*arguments, "--policy", "model", "--ros"]) == 2
    assert "modelled latency" in capsys.readouterr().err

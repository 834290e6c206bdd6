"""Figures of an evaluation: intervals, steps at the controller's rate, JSON, film."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from dva_ros.errors import UserError
from dva_ros.evaluation.metrics import CommandSteps, pooled_rms_jerk
from dva_ros.evaluation.report import (
    EpisodeOutcome,
    EvaluationOptions,
    EvaluationReport,
    wilson_interval,
)
from dva_ros.evaluation.video import EpisodeVideo
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

LIMITS = JointLimits.load(config_path("joint_limits"), EMBEDDED_CELL.joint_names)


def _outcome(seed: int, success: bool, outcome: str = "success") -> EpisodeOutcome:
    return EpisodeOutcome(
        seed,
        success,
        outcome,
        duration_s=4.0,
        predictions=12,
        latencies_s=(0.25, 0.25, 0.27),
        compute_s=(0.1, 0.12),
        idle_s=0.1,
        refusals={"jump": 1},
    )


def test_the_wilson_interval_is_that_of_the_textbook() -> None:
    """90 of 100 is 82.6 % to 94.5 %; no success is not certainty."""
    low, high = wilson_interval(90, 100)
    assert low == pytest.approx(0.8256, abs=1e-3)
    assert high == pytest.approx(0.9448, abs=1e-3)
    assert wilson_interval(0, 10)[0] == 0.0
    assert wilson_interval(0, 10)[1] == pytest.approx(0.2775, abs=1e-3)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_the_json_holds_the_promised_figures(tmp_path: Path) -> None:
    """Other tools read these keys."""
    options = EvaluationOptions("lift", episodes=3, seed=5)
    report = EvaluationReport(
        options,
        (_outcome(5, True), _outcome(6, False, "box tilted"), _outcome(7, False, "box tilted")),
        "in-process",
        wall_s=9.0,
    )
    path = tmp_path / "sub" / "figures.json"
    report.write_json(path)
    values = json.loads(path.read_text())
    assert values["task"] == "lift"
    assert (values["episodes"], values["successes"]) == (3, 1)
    assert values["predictions_per_second"] == pytest.approx(3.0)
    assert values["latency_ms"]["p50"] == pytest.approx(250.0)
    assert values["latency_ms"]["p99"] > 265
    assert values["idle_s"] == pytest.approx(0.3)
    assert values["failures"] == {"box tilted": 2}
    assert values["refusals"] == {"jump": 3}
    assert values["seeds"] == [5, 6, 7]
    assert {"max_position_step_rad", "max_velocity_step_rad_s"} <= values.keys()
    for word in ("1/3", "box tilted", "5..7", "test"):
        assert word in report.table()


def test_a_report_without_episodes_is_no_error() -> None:
    """An evaluation interrupted at once still prints."""
    report = EvaluationReport(EvaluationOptions("lift", 2, 0), (), "ros", wall_s=0.0)
    assert report.to_json()["success_rate"] == 0.0
    assert "0/0" in report.table()


def test_rms_jerk_is_that_of_a_known_motion_and_rest_does_not_lower_it() -> None:
    """One arm joint on c t^3 has jerk 6 c; over 12 arm joints the mean square is a twelfth."""
    steps, period = CommandSteps(LIMITS, 0.01), 0.01
    time = period * np.arange(100)
    commands = np.zeros((100, len(LIMITS.joint_names)))
    commands[:, 0] = 2.0 * time**3
    for command in commands:
        steps.add(command)
    arms = sum(not name.endswith("gripper") for name in LIMITS.joint_names)
    assert steps.rms_jerk_rad_s3 == pytest.approx(12.0 / np.sqrt(arms), rel=1e-3)
    assert steps.moving_s == pytest.approx(0.97)

    resting = CommandSteps(LIMITS, period)
    for command in (*[commands[0]] * 3, *commands[:50], *[commands[49]] * 3):
        resting.add(command)
    before = (resting.rms_jerk_rad_s3, resting.moving_s)
    for _ in range(500):
        resting.add(commands[49])
    assert (resting.rms_jerk_rad_s3, resting.moving_s) == before


def test_jerk_is_pooled_by_moving_time() -> None:
    """3 s at 10 and 1 s at 30 rad/s^3; an episode without motion does not count."""
    parts = [_jerk(10.0, 3.0), _jerk(30.0, 1.0), _jerk(0.0, 0.0)]
    assert pooled_rms_jerk(parts) == pytest.approx(np.sqrt((3 * 100 + 900) / 4))
    assert pooled_rms_jerk([]) == 0.0


def _jerk(rms: float, seconds: float) -> EpisodeOutcome:
    return EpisodeOutcome(0, True, "success", 4.0, 3, rms_jerk_rad_s3=rms, moving_s=seconds)


def test_a_jump_is_a_position_step_of_its_own_size_and_smooth_motion_none() -> None:
    """What the acceleration limit explains is no step; a jump of 20 mrad is one."""
    steps = CommandSteps(LIMITS, 0.01)
    times = np.arange(0, 1, 0.01)[:, None]
    for command in 0.2 * np.sin(3 * times) * np.ones(14):
        steps.add(command * 0.1)
    assert steps.position_step_rad == 0.0
    assert steps.velocity_ratio < 1.0
    jumped = np.zeros(14)
    jumped[1] = 0.02
    steps = CommandSteps(LIMITS, 0.01)
    for command in (np.zeros(14), np.zeros(14), jumped):
        steps.add(command)
    assert steps.position_step_rad == pytest.approx(0.02, abs=0.002)
    assert steps.velocity_step_rad_s == pytest.approx(2.0)
    assert steps.velocity_ratio > 10
    assert steps.gripper_velocity_step_m_s == 0.0


def test_a_film_has_every_frame_and_a_contact_sheet(tmp_path: Path) -> None:
    """Before and after the first imagined clip, and a banner at the end."""
    rng = np.random.default_rng(0)
    images = {
        "overhead": rng.integers(0, 255, (96, 128, 3), np.uint8),
        "front": rng.integers(0, 255, (64, 128, 3), np.uint8),
    }
    path = tmp_path / "out" / "film.mp4"
    with EpisodeVideo(path, EMBEDDED_CELL, "lift, scene 1") as video:
        video.frame(images, 0, "0.0 s")
        video.imagined(rng.integers(0, 255, (8, 80, 64, 3), np.uint8), 0, 3)
        for index in range(1, 12):
            video.frame(images, index, f"{index / 10} s")
        video.finish(True, "success")
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 12 + 15
    assert frames[0].shape == (720, 1280, 3)
    assert np.abs(frames[0][:, 700:].astype(int) - frames[5][:, 700:]).mean() > 5
    assert frames[-1][360, 20].argmax() == 1
    assert path.with_suffix(".png").stat().st_size > 10_000


def test_a_film_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    """A file in the place of the folder is named."""
    blocker = tmp_path / "blocker"
    blocker.write_text("")
    with pytest.raises(UserError, match="blocker"):
        EpisodeVideo(blocker / "film.mp4", EMBEDDED_CELL, "")

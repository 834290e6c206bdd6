"""The in-process closed loop with real cell, controller and scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks import find_task
from dva_ros.data.cell_episodes import record_episode
from dva_ros.errors import UserError
from dva_ros.evaluation.closed_loop import ClosedLoop, LoopSettings
from dva_ros.evaluation.oracle import OracleChunks
from dva_ros.evaluation.policy import ModelPolicy
from dva_ros.evaluation.report import EpisodeOutcome, EvaluationOptions
from dva_ros.evaluation.runner import run_evaluation
from dva_ros.evaluation.schedulers.timing import timing_for
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

LIMITS = JointLimits.load(config_path("joint_limits"), EMBEDDED_CELL.joint_names)


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    """One cell for all tests of this file."""
    cell = Cell()
    yield cell
    cell.close()


def _replay(cell: Cell, task: str, settings: LoopSettings) -> EpisodeOutcome:
    def record(seed: int):  # type: ignore[no-untyped-def]
        return record_episode(cell, find_task(task), seed, "test", perturb=False)

    policy = OracleChunks(record, settings.leapfrog.horizon)
    return ClosedLoop(cell, policy, LIMITS, settings).run(find_task(task), 3, "test")


@pytest.mark.parametrize("task", ["pick_place", "lift"])
def test_an_experts_motion_survives_leapfrog_and_controller(cell: Cell, task: str) -> None:
    """Recorded motion at 250 ms of latency: the task succeeds, without a step or a pause."""
    outcome = _replay(cell, task, LoopSettings(latency_s=0.25))
    assert outcome.success, outcome.outcome
    assert outcome.idle_s == 0.0
    assert outcome.max_position_step_rad < 1e-4
    assert outcome.velocity_step_ratio <= 1.005
    assert outcome.refusals == {}
    np.testing.assert_allclose(outcome.latencies_s, 0.25, atol=1e-9)
    assert outcome.predictions / outcome.duration_s > 2.5


def test_at_half_speed_the_same_motion_takes_twice_as_long(cell: Cell) -> None:
    """A latency of four frames is two of the slower grid; the task succeeds, without a pause."""
    full = _replay(cell, "pick_place", LoopSettings(latency_s=0.2))
    slowed = timing_for(LeapfrogParameters().slowed(0.5), 0.4)
    half = _replay(cell, "pick_place", LoopSettings(latency_s=0.4, leapfrog=slowed))
    assert slowed.inference_delay_frames == 2
    assert full.success
    assert half.success, half.outcome
    assert half.duration_s == pytest.approx(2 * full.duration_s, rel=0.15)
    assert half.idle_s == 0.0
    assert half.refusals == {}
    assert half.velocity_step_ratio <= 1.005
    assert half.rms_jerk_rad_s3 < full.rms_jerk_rad_s3


def test_the_loop_repeats_exactly(cell: Cell) -> None:
    """Same seed, same outcome: jitter comes from the seed, nothing from the wall clock."""
    settings = LoopSettings(latency_s=0.2, jitter_s=0.05, max_seconds=3.0)
    first, second = (_replay(cell, "pick_place", settings) for _ in range(2))
    assert first.latencies_s == second.latencies_s
    assert len(set(first.latencies_s)) > 1
    assert first.max_velocity_step_rad_s == second.max_velocity_step_rad_s
    assert first.duration_s == second.duration_s


class _NotFinite:
    """A policy that breaks after its first answers."""

    def begin(self, seed: int, instruction: str) -> None:
        self.answers = 0

    def observe(self, mosaic: np.ndarray, state: np.ndarray) -> None:
        self.state = state

    def imagine(self, committed: np.ndarray, guidance: object = None):  # type: ignore[no-untyped-def]
        from dva_ros.evaluation.policy import Imagined

        self.answers += 1
        targets = np.tile(committed[-1], (8, 1))
        if self.answers > 3:
            targets[4:] = np.nan
        return Imagined(targets, None)


def test_a_policy_that_breaks_ends_in_a_stop_and_is_reported(cell: Cell) -> None:
    """NaN from the models: refused by name, the robot rests, idle time shows it."""
    settings = LoopSettings(latency_s=0.1, max_seconds=3.0)
    outcome = ClosedLoop(cell, _NotFinite(), LIMITS, settings).run(find_task("lift"), 0, "test")
    assert not outcome.success
    assert outcome.predictions == 3
    assert outcome.refusals["not finite"] > 3
    assert outcome.idle_s > 1.0
    assert outcome.velocity_step_ratio <= 1.0


class _Predictor:
    def reset(self, instruction: str) -> None:
        self.instruction = instruction

    def append(self, mosaic: np.ndarray, state: np.ndarray) -> int:
        self.last = mosaic
        return 0

    def predict(
        self,
        committed: np.ndarray,
        num_steps: int | None = None,
        guide: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> np.ndarray:
        self.guide = guide
        return np.stack([self.last + i for i in range(8)])


class _Decoder:
    def decode(self, real: np.ndarray, clip: np.ndarray, state: np.ndarray) -> np.ndarray:
        self.real = real
        return np.tile(state, (len(clip), 1))


def test_the_decoder_sees_the_last_real_frames_and_at_first_the_first_repeated() -> None:
    """k real frames always, oldest first."""
    decoder = _Decoder()
    policy = ModelPolicy(_Predictor(), decoder, num_real=3)
    policy.begin(0, "lift the box")
    seen = []
    for value in range(5):
        policy.observe(np.full((2, 2, 3), value, np.uint8), np.zeros(4, np.float32))
        policy.imagine(np.zeros((3, 4), np.float32))
        seen.append([int(image[0, 0, 0]) for image in decoder.real])
    assert seen == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_guidance_is_toward_the_last_clip_as_much_of_it_as_lies_ahead() -> None:
    """Three frames later the clip's first three are past, and its last three are unknown."""
    predictor = _Predictor()
    policy = ModelPolicy(predictor, _Decoder(), num_real=1)
    committed, mask = np.zeros((3, 4), np.float32), np.linspace(1, 0.3, 8, dtype=np.float32)
    policy.begin(0, "lift the box")
    policy.observe(np.full((2, 2, 3), 10, np.uint8), np.zeros(4, np.float32))
    policy.imagine(committed, mask)
    assert predictor.guide is None
    for _ in range(3):
        policy.observe(np.full((2, 2, 3), 20, np.uint8), np.zeros(4, np.float32))
    policy.imagine(committed, mask)
    assert predictor.guide is not None
    clip, weights = predictor.guide
    assert [int(image[0, 0, 0]) for image in clip[:5]] == [13, 14, 15, 16, 17]
    np.testing.assert_allclose(weights, [*mask[:5], 0, 0, 0])
    policy.imagine(committed)
    assert predictor.guide is None
    policy.begin(1, "lift the box")
    policy.observe(np.full((2, 2, 3), 10, np.uint8), np.zeros(4, np.float32))
    policy.imagine(committed, mask)
    assert predictor.guide is None


def test_a_run_over_scenes_reports_each_and_writes_its_film(tmp_path: Path) -> None:
    """The runner behind the command, without the models."""
    options = EvaluationOptions(
        "lift",
        episodes=2,
        seed=3,
        policy="expert-replay",
        workers=1,
        max_seconds=1.0,
        video=tmp_path / "film.mp4",
    )
    seen: list[int] = []
    report = run_evaluation(options, lambda outcome: seen.append(outcome.seed))
    assert seen == [3, 4]
    assert report.successes == 0
    assert sum(report.failures.values()) == 2
    assert [path.name for path in report.files] == ["film.mp4", "film.png"]


def test_an_unknown_task_is_a_user_error() -> None:
    """The message lists the tasks that exist."""
    with pytest.raises(UserError, match="pick_place"):
        run_evaluation(EvaluationOptions("juggle", 1, 0), lambda outcome: None)

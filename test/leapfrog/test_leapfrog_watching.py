"""Joints that do not follow, frames unlike their prediction, arms that come too close."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streams import HOME, NAMES, answer, engaged, frame, targets_after

from dva_ros.leapfrog.messages import Mode
from dva_ros.leapfrog.motion import Motion
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.prediction_error import PredictionErrorScore
from dva_ros.leapfrog.scheduler import Leapfrog


def _moving() -> Leapfrog:
    leapfrog = engaged()
    request = leapfrog.on_frame(frame(0), 0.0).request
    assert request is not None
    leapfrog.on_joint_states(0.2, HOME)
    assert leapfrog.accept(answer(request, targets_after(0, 2.0)), 0.2).trajectory is not None
    return leapfrog


def test_a_joint_that_does_not_follow_stops_the_robot_and_is_named() -> None:
    """An arm that is blocked, or whose drive is off."""
    leapfrog = _moving()
    stuck = HOME.copy()
    stuck[8] -= 0.5
    trajectory = None
    for tick in range(20, 60):
        now = tick * 0.01
        leapfrog.on_joint_states(now, stuck)
        if tick % 10 == 0:
            leapfrog.on_frame(frame(tick // 10), now)
        trajectory = trajectory or leapfrog.watch(now).trajectory
    assert trajectory is not None
    assert leapfrog.state.mode in (Mode.STOPPING, Mode.HOLDING)
    assert NAMES[8] in leapfrog.state.reason
    assert leapfrog.status(0.6).tracking_error_rad > 0.4


def test_a_servo_that_follows_a_moment_later_is_no_fault() -> None:
    """150 ms behind a fast motion is how robots follow."""
    leapfrog = _moving()
    for tick in range(20, 80):
        now = tick * 0.01
        leapfrog.on_joint_states(now, leapfrog.state.motion.sample(now - 0.15)[0])
        leapfrog.on_frame(frame(tick // 10), now)
    assert leapfrog.state.tracking.fault == ""
    assert leapfrog.state.tracking.share < 0.1


def test_stale_input_sends_a_stop_at_once() -> None:
    """Not only when the targets that are on the wire are over."""
    leapfrog = _moving()
    for tick in range(20, 45):
        leapfrog.on_joint_states(tick * 0.01, HOME)
    decision = leapfrog.watch(0.45)
    assert decision.trajectory is not None
    assert decision.trajectory.stamp + decision.trajectory.points[-1].time_from_start < 1.1
    assert leapfrog.watch(0.46).trajectory is None


def _score(
    error: PredictionErrorScore, rng: np.random.Generator, index: int, change: float
) -> float | None:
    predicted = rng.integers(90, 110, (80, 64, 3)).astype(np.uint8)
    real = predicted.astype(np.float64) + rng.normal(0, 4, predicted.shape)
    real[16:32, 32:48] += change
    error.expect(1, index - 4, np.tile(predicted, (8, 1, 1, 1)), range(4, 7))
    return error.observed(1, index, np.clip(real, 0, 255).astype(np.uint8))


def test_a_thing_that_was_not_predicted_scores_far_above_what_is_usual() -> None:
    """One patch of twenty is enough; usual frames stay near 0, before there are enough: none."""
    rng, error = np.random.default_rng(0), PredictionErrorScore()
    scores = [_score(error, rng, index, 0.0) for index in range(10, 100)]
    assert scores[:20] == [None] * 20
    usual = np.array([score for score in scores if score is not None])
    assert np.abs(usual).max() < 4
    unusual = _score(error, rng, 101, 60.0)
    assert unusual is not None
    assert unusual > 8
    assert error.observed(1, 500, np.zeros((80, 64, 3), np.uint8)) is None


def test_a_prediction_error_holds_the_robot_only_where_that_is_asked_for() -> None:
    """The score is published always, the stop is optional."""
    leapfrog = _moving()
    assert leapfrog.on_prediction_error(0.3, 9.0).trajectory is None
    assert leapfrog.status(0.3).prediction_error == 9.0
    leapfrog = engaged(parameters=LeapfrogParameters(max_prediction_error=6.0))
    request = leapfrog.on_frame(frame(0), 0.0).request
    assert request is not None
    leapfrog.on_joint_states(0.2, HOME)
    leapfrog.accept(answer(request, targets_after(0)), 0.2)
    leapfrog.on_prediction_error(0.25, 5.0)
    assert not leapfrog.state.held
    assert leapfrog.on_prediction_error(0.3, 9.0).trajectory is not None
    assert "prediction error score 9.0" in leapfrog.state.reason


class _Never:
    def refusal(self, motion: Motion, start: float) -> str:
        return "left_palm and right_palm would be 0.010 m apart"


def test_a_motion_that_comes_too_close_is_refused_with_its_reason() -> None:
    """The guard judges what would be sent."""
    leapfrog = engaged()
    leapfrog.guard = _Never()
    request = leapfrog.on_frame(frame(0), 0.0).request
    assert request is not None
    leapfrog.on_joint_states(0.2, HOME)
    decision = leapfrog.accept(answer(request, targets_after(0)), 0.2)
    assert decision.trajectory is None
    assert decision.refusal.startswith("too close: left_palm")


def test_arms_and_table_are_kept_apart_by_the_descriptions_geometry() -> None:
    """Arms that meet over the table, fingers through its top: named, with distance and time."""
    pytest.importorskip("pinocchio", reason="pinocchio is not installed; run make setup")
    from dva_ros.cell.description import robot_description
    from dva_ros.cell.kinematics import inverse_kinematics_down
    from dva_ros.leapfrog.clearance import Box, Clearance

    table = Box("table", (2.0, 2.0, 1.0), (0.0, 0.0, -0.5), allowed=0.02)
    clearance = Clearance(robot_description(), NAMES, ("left_", "right_"), [table], margin=0.02)

    def at(left: tuple[float, float, float], right: tuple[float, float, float]) -> np.ndarray:
        arms = [inverse_kinematics_down(side, p) for side, p in (("left", left), ("right", right))]
        return np.concatenate([arms[0], [0.02], arms[1], [0.02]])

    def through(*poses: np.ndarray) -> Motion:
        return Motion(np.arange(len(poses)) * 0.5, np.stack(poses), np.zeros((len(poses), 14)))

    apart = at((0.2, 0.15, 0.1), (0.2, -0.15, 0.1))
    assert clearance.refusal(through(apart, at((0.2, 0.1, 0.05), (0.2, -0.1, 0.05))), 0.0) == ""
    meeting = clearance.refusal(through(apart, at((0.2, 0.02, 0.1), (0.2, -0.02, 0.1))), 0.0)
    assert "left_" in meeting
    assert "right_" in meeting
    deep = clearance.refusal(through(apart, at((0.2, 0.15, -0.03), (0.2, -0.15, 0.1))), 0.0)
    assert "table" in deep
    close = at((0.2, 0.02, 0.1), (0.2, -0.02, 0.1))
    assert clearance.refusal(through(close, close), 0.0) == ""


def test_frames_of_another_grid_are_refused_with_both_periods() -> None:
    """The context runs at full speed, the scheduler at half: nothing is asked for."""
    leapfrog = engaged(parameters=LeapfrogParameters().slowed(0.5))
    leapfrog.on_frame(frame(0), 0.0)
    for index in range(1, 6):
        decision = leapfrog.on_frame(frame(index), 0.1 * index)
        assert "frames are 0.1 s apart, the scheduler's 0.2 s" in decision.refusal
        assert "time_scaling" in decision.refusal
        assert decision.request is None
    assert leapfrog.state.refusals["other grid"] == 5


def test_a_chunk_of_another_grid_is_no_motion() -> None:
    """The predictor runs at half speed, the scheduler at full."""
    leapfrog = engaged()
    leapfrog.on_joint_states(0.0, HOME)
    request = leapfrog.on_frame(frame(0), 0.0).request
    assert request is not None
    chunk = replace(answer(request, np.tile(HOME, (8, 1))), frame_period_s=0.2)
    decision = leapfrog.accept(chunk, 0.1)
    assert "targets are 0.2 s apart, the scheduler's 0.1 s" in decision.refusal
    assert decision.trajectory is None

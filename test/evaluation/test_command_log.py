"""The log of a controller's commands: when it stood still, and what it asked of the joints."""

from __future__ import annotations

import numpy as np
import pytest

from dva_ros.evaluation.command_log import CommandLog
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

NAMES = EMBEDDED_CELL.joint_names
PERIOD_S = 0.01


def log_of(positions: np.ndarray, start: float = 10.0) -> CommandLog:
    """A log of the left waist's positions, one a period."""
    log = CommandLog(JointLimits.load(config_path("joint_limits"), NAMES), PERIOD_S)
    for tick, position in enumerate(positions):
        log.add(start + tick * PERIOD_S, np.eye(len(NAMES))[0] * position)
    return log


def test_standstill_is_when_the_command_last_changed() -> None:
    """A ramp of 0.3 s at 1 rad/s, then rest."""
    ramp = np.concatenate([np.arange(31) * 0.01, np.full(40, 0.3)])
    log = log_of(ramp)
    window = log.window(10.0)
    assert window.standstill_s == pytest.approx(0.3, abs=0.011)
    assert window.max_velocity_rad_s == pytest.approx(1.0)
    assert log.speed() == 0.0
    assert log.window(10.2).standstill_s == pytest.approx(0.1, abs=0.011)


def test_a_command_that_still_changes_is_no_standstill() -> None:
    """Nor is one that has only just stopped."""
    assert log_of(np.arange(50) * 0.01).window(10.0).standstill_s is None
    just = np.concatenate([np.arange(31) * 0.01, np.full(10, 0.3)])
    assert log_of(just).window(10.0).standstill_s is None


def test_a_step_shows_as_broken_limits() -> None:
    """A jump of 0.1 rad in one period is 10 rad/s, and far beyond every acceleration."""
    window = log_of(np.concatenate([np.zeros(20), np.full(40, 0.1)])).window(10.0)
    assert window.max_velocity_rad_s == pytest.approx(10.0)
    assert window.velocity_ratio == pytest.approx(10.0 / 3.0)
    assert window.acceleration_ratio > 50
    assert window.max_jerk_rad_s3 > 1e5


def test_a_gap_between_commands_is_no_motion() -> None:
    """Messages that were lost, or a controller that was silent, are no jump of the robot."""
    log = log_of(np.zeros(20))
    for tick in range(40):
        log.add(11.0 + tick * PERIOD_S, np.eye(len(NAMES))[0] * 0.5)
    window = log.window(10.0)
    assert window.max_velocity_rad_s == 0.0
    assert window.acceleration_ratio == 0.0


def test_a_clock_that_steps_back_begins_anew() -> None:
    """What was commanded before a reset of the simulator says nothing about after."""
    log = log_of(np.arange(50) * 0.01)
    log.add(0.0, np.zeros(len(NAMES)))
    assert log.newest == 0.0
    assert log.window(-1.0).max_velocity_rad_s == 0.0

"""Joint limits from YAML: complete, sensible, or refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dva_ros.errors import UserError
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

GOOD = """
joint_limits:
  waist:
    has_position_limits: true
    min_position: -1.0
    max_position: 2.0
    has_velocity_limits: true
    max_velocity: 3.0
    has_acceleration_limits: true
    max_acceleration: 15.0
    has_jerk_limits: true
    max_jerk: 200.0
    correction: 0.1
    jump: 0.2
    tracking: 0.3
"""


def test_the_cells_file_covers_every_joint_in_order() -> None:
    """The shipped limits are those of the simulated cell."""
    limits = JointLimits.load(config_path("joint_limits"), EMBEDDED_CELL.joint_names)
    assert limits.joint_names == EMBEDDED_CELL.joint_names
    gripper = np.array([name.endswith("gripper") for name in limits.joint_names])
    assert (limits.upper[gripper] <= 0.06).all()
    assert (limits.velocity[~gripper] >= 1.0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("waist", "elbow"), "no limits for joint 'waist'"),
        (GOOD.replace("min_position: -1.0", "min_position: 3.0"), "joint 'waist': min_position"),
        (GOOD.replace("max_velocity: 3.0", "max_velocity: 0"), "max_velocity 0"),
        (GOOD.replace("max_velocity: 3.0", "max_velocity: fast"), "joint 'waist': max_velocity"),
        (GOOD.replace("    max_jerk: 200.0\n", ""), "joint 'waist': max_jerk is missing"),
        (GOOD.replace("has_velocity_limits: true", ""), "has_velocity_limits must be true"),
        (GOOD.replace("jump: 0.2", "jump: .nan"), "joint 'waist'"),
        ("joint_limits: [", "cannot read"),
        ("other: 1", "joint_limits"),
    ],
)
def test_a_bad_file_is_refused_naming_the_joint(tmp_path: Path, text: str, message: str) -> None:
    """The message names file, joint and value."""
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message.replace("[", r"\[")):
        JointLimits.load(path, ["waist"])


def test_a_joint_without_a_limit_on_jerk_gets_one_from_its_acceleration(tmp_path: Path) -> None:
    """MoveIt's files mostly have has_jerk_limits: false; motion is smooth all the same."""
    path = tmp_path / "limits.yaml"
    path.write_text(GOOD)
    assert JointLimits.load(path, ["waist"]).jerk == [200.0]
    path.write_text(GOOD.replace("has_jerk_limits: true", "has_jerk_limits: false"))
    assert JointLimits.load(path, ["waist"]).jerk == [15.0 / 0.05]


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(UserError, match="nowhere"):
        JointLimits.load(tmp_path / "nowhere.yaml", ["waist"])

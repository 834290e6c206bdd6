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
  waist: {position: [-1.0, 2.0], velocity: 3.0, acceleration: 15.0, correction: 0.1, jump: 0.2}
"""


def test_the_cells_file_covers_every_joint_in_order() -> None:
    """The shipped limits are those of the embedded cell."""
    limits = JointLimits.load(config_path("joint_limits"), EMBEDDED_CELL.joint_names)
    assert limits.joint_names == EMBEDDED_CELL.joint_names
    gripper = np.array([name.endswith("gripper") for name in limits.joint_names])
    assert (limits.upper[gripper] <= 0.06).all()
    assert (limits.velocity[~gripper] >= 1.0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("waist", "elbow"), "no limits for joint 'waist'"),
        (GOOD.replace("[-1.0, 2.0]", "[2.0, -1.0]"), "joint 'waist': position"),
        (GOOD.replace("velocity: 3.0", "velocity: 0"), "joint 'waist'"),
        (GOOD.replace("velocity: 3.0", "velocity: fast"), "joint 'waist'"),
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


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(UserError, match="nowhere"):
        JointLimits.load(tmp_path / "nowhere.yaml", ["waist"])

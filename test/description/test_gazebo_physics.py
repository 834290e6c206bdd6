"""The robot, driven as in Gazebo, does the task in Gazebo's physics engine.

gz-physics with DART is what Gazebo runs; its version here is that of Debian (Fortress's). Gazebo's
server, gz_ros2_control and rendering are not installed: test/description/gz_physics.cc does what
the first two do to the joints.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from gz_programs import PHYSICS, SDFORMAT, build, missing, play

from dva_ros.cell.description import robot_description
from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks import find_task
from dva_ros.data.cell_episodes import record_episode
from dva_ros.resources import resource_path
from dva_ros.spec import EMBEDDED_CELL

NAMES = EMBEDDED_CELL.joint_names
ARM = np.array([not name.endswith("gripper") for name in NAMES])


class LoggedCell(Cell):
    """A cell that draws nothing and remembers commands and positions of every control period."""

    def reset(self, *scene: object) -> str:  # type: ignore[override]
        self.log: list[tuple[np.ndarray, np.ndarray]] = []
        return super().reset(*scene)  # type: ignore[arg-type]

    def step(self, command: np.ndarray) -> None:
        super().step(command)
        self.log.append((np.array(command, dtype=float), self.positions()))

    def render(self, camera: str, scale: int = 1) -> np.ndarray:
        return np.zeros((1, 1, 3), np.uint8)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reason = missing((*PHYSICS, *SDFORMAT), "libignition-physics-dev libsdformat-dev")
    if reason is not None:
        pytest.skip(reason)
    return build("gz_physics", (*PHYSICS, *SDFORMAT), tmp_path_factory.mktemp("physics"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 5])  # left arm, right arm
def test_the_experts_commands_put_the_cube_into_the_tray(
    seed: int, program: Path, tmp_path: Path
) -> None:
    """Joints follow as MuJoCo's do, the fingers stay together, the cube is lifted and arrives."""
    cell = LoggedCell()
    assert record_episode(cell, find_task("pick_place"), seed, "test", perturb=False).success
    commands, positions = (np.stack(column) for column in zip(*cell.log, strict=True))
    description = robot_description(hardware="gazebo")
    robot, world = tmp_path / "cell.urdf", tmp_path / "cell.sdf"
    robot.write_text(description)
    world.write_text(_with_object_at(cell.scene.position, cell.scene.yaw))
    gain = ElementTree.fromstring(description).findtext(".//position_proportional_gain")

    cube, joints, followers = play(program, world, robot, float(gain or "nan"), NAMES, commands)

    assert np.abs(cube[0] - cell.scene.position).max() < 1e-3
    assert cube[:, 2].max() > 0.1
    final = cell.world.pose("object")
    assert np.abs(cube[-1] - final.position).max() < 0.01
    error = (joints - positions)[:, ARM]
    assert np.sqrt(np.mean(error**2)) < 0.005
    assert np.abs(error).max() < 0.03
    assert np.abs(joints - followers)[:, ~ARM].max() < 0.004


def _with_object_at(position: np.ndarray, yaw: float) -> str:
    """The committed world with the object at a scene's place."""
    tree = ElementTree.parse(resource_path("worlds/cell.sdf"))
    pose = tree.find(".//model[@name='object']/pose")
    assert pose is not None
    place = (*position, 0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2))
    pose.text = " ".join(f"{value:.9f}" for value in place)
    return ElementTree.tostring(tree.getroot(), encoding="unicode")

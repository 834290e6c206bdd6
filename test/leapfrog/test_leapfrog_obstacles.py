"""Boxes that stand in the cell: read with care, kept clear of, and no hindrance to good motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streams import NAMES

from dva_ros.cell.description import robot_description
from dva_ros.cell.kinematics import inverse_kinematics_down
from dva_ros.cell.model import build_model
from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks import find_task
from dva_ros.cell.tasks.pick_place.scene import TRAY_RGBA, CubeAndTray
from dva_ros.cell.timing import CONTROL_PERIOD_S
from dva_ros.errors import UserError
from dva_ros.leapfrog.clearance import Box, Clearance
from dva_ros.leapfrog.motion import Motion
from dva_ros.leapfrog.obstacles import load_boxes
from dva_ros.resources import config_path


@pytest.fixture(scope="module")
def guard() -> Clearance:
    """Table, tray and arms, as `config/cell.yaml` has them."""
    pytest.importorskip("pinocchio", reason="pinocchio is not installed; run make setup")
    table = Box("table", (4.0, 4.0, 1.0), (0.0, 0.0, -0.5), 0.02)
    boxes = [table, *load_boxes(config_path("tray"))]
    return Clearance(robot_description(), NAMES, ("left_", "right_"), boxes, 0.02)


def _through(positions: list[np.ndarray], period_s: float) -> Motion:
    times = period_s * np.arange(len(positions))
    return Motion(times, np.stack(positions), np.zeros((len(positions), len(NAMES))))


def _pose(left: tuple[float, float, float]) -> np.ndarray:
    arms = (("left", left), ("right", (0.0, -0.31, 0.2)))
    joints = [inverse_kinematics_down(side, np.array(place)) for side, place in arms]
    return np.concatenate([np.append(arm, 0.02) for arm in joints])


def _judged_by_all_distances(guard: Clearance, motion: Motion) -> bool:
    """Whether a motion is refused, every distance read at every one of its moments."""
    count = max(2, int(np.ceil(motion.end / 0.05)) + 1)
    positions = motion.sample(np.linspace(0.0, motion.end, count))[0]
    rooms = np.stack([guard.distances(q) for q in positions])
    return bool((rooms[1:] - np.minimum(rooms[0], 0.0) < -1e-4).any())


def test_the_closest_pair_alone_judges_as_all_pairs_do(guard: Clearance) -> None:
    """To 1e-9 m; random motions, of which many are refused and many begin too close."""
    rng = np.random.default_rng(5)
    near = [_pose((x, y, z)) for x, y, z in rng.uniform((-0.1, 0, 0.02), (0.1, 0.2, 0.1), (20, 3))]
    refused = begun_too_close = 0
    for _ in range(60):
        first, last = (near[i] + rng.normal(0, 0.15, len(NAMES)) for i in rng.integers(0, 20, 2))
        for positions in (first, last):
            least = guard.distances(positions).min()
            assert guard._least_room(positions) == pytest.approx(least, abs=1e-9)
        motion = _through([first, last], 0.4)
        found = guard.refusal(motion, 0.0)
        assert bool(found) == _judged_by_all_distances(guard, motion)
        refused += bool(found)
        begun_too_close += bool(guard.distances(first).min() < 0)
    assert 5 < refused < 55
    assert 5 < begun_too_close < 55


def test_the_trays_file_is_the_tray_of_the_simulation() -> None:
    """Moved or resized in one place only, the check would guard empty space."""
    model = build_model(CubeAndTray())
    geoms = [model.geom(i) for i in range(model.ngeom)]
    walls = [geom for geom in geoms if np.allclose(geom.rgba, TRAY_RGBA)]
    assert len(walls) == 4
    lowest = np.min([geom.pos - geom.size for geom in walls], axis=0)
    highest = np.max([geom.pos + geom.size for geom in walls], axis=0)
    (tray,) = load_boxes(config_path("tray"))
    np.testing.assert_allclose(np.array(tray.center) - np.array(tray.size) / 2, lowest, atol=1e-9)
    np.testing.assert_allclose(np.array(tray.center) + np.array(tray.size) / 2, highest, atol=1e-9)


# The scenes, of 60 each, in which the experts come nearest to the tray.
@pytest.mark.parametrize("task, seed", [("pick_place", 58), ("pick_place", 51), ("lift", 8)])
def test_an_experts_motion_passes(guard: Clearance, task: str, seed: int) -> None:
    """The gripper beside a wall and into the tray, and both arms at the box: nothing refused."""
    cell = Cell()
    cell.reset(find_task(task), seed, "validation")
    expert, commands = cell.task.expert(cell.scene), [cell.command()]
    while cell.time < 12.0 and not cell.evaluate().success:
        for _ in range(5):
            cell.step(expert.act(cell.world))
        commands.append(cell.command())
    assert cell.evaluate().success
    assert guard.refusal(_through(commands, 5 * CONTROL_PERIOD_S), 0.0) == ""


def test_fingers_into_the_trays_wall_are_refused_and_named(guard: Clearance) -> None:
    """From above, and along the table through it; over the rim, and down to its floor, is work."""
    inner = (0.0, 0.0625, 0.033)
    down = guard.refusal(_through([_pose((0.0, 0.0625, 0.12)), _pose(inner)], 0.5), 0.0)
    assert "left_finger" in down
    assert "tray" in down
    along = [_pose((0.0, y, 0.03)) for y in (0.2, 0.0)]
    assert "tray" in guard.refusal(_through(along, 0.3), 0.0)
    over = [(0.0, 0.2, 0.03), (0.0, 0.2, 0.12), (0.0, 0.0, 0.12), (0.0, 0.0, 0.039)]
    assert guard.refusal(_through([_pose(place) for place in over], 0.5), 0.0) == ""


@pytest.mark.parametrize(
    "entry, named",
    [
        ("{size: [0.1, 0.1], center: [0, 0, 0], allowed: 0}", "size must be 3 finite numbers"),
        ("{size: [0.1, 0.1, -1], center: [0, 0, 0], allowed: 0}", "size must be greater than 0"),
        ("{size: [1, 1, 1], center: [0, 0, .nan], allowed: 0}", "center must be 3 finite"),
        ("{size: [1, 1, 1], center: [0, 0, high], allowed: 0}", "center is no number"),
        ("{size: [1, 1, 1], center: [0, 0, 0], allowed: -0.1}", "allowed not negative"),
        ("{size: [1, 1, 1], center: [0, 0, 0]}", "needs size, center, allowed"),
        ("{size: [1, 1, 1], center: [0, 0, 0], allowed: 0, yaw: 1}", "and nothing else"),
        ("wall", "needs size, center, allowed"),
    ],
)
def test_a_wrong_box_is_refused_by_name(tmp_path: Path, entry: str, named: str) -> None:
    """A typing error must not become a box elsewhere, or none."""
    path = tmp_path / "cell_boxes.yaml"
    path.write_text(f"obstacles:\n  bin: {entry}\n")
    with pytest.raises(UserError, match=named) as caught:
        load_boxes(path)
    assert "obstacle 'bin'" in str(caught.value)


def test_a_file_without_obstacles_is_refused(tmp_path: Path) -> None:
    """Another file given by mistake does not pass for an empty cell."""
    path = tmp_path / "other.yaml"
    path.write_text("joint_limits: {}\n")
    with pytest.raises(UserError, match="no mapping 'obstacles'"):
        load_boxes(path)


def test_distances_follow_a_joint_that_turns_without_end() -> None:
    """Pinocchio keeps its angle as cosine and sine."""
    pytest.importorskip("pinocchio", reason="pinocchio is not installed; run make setup")
    urdf = """<robot name="r"><link name="base"/><link name="arm"><collision>
        <origin xyz="0.5 0 0"/><geometry><box size="0.2 0.2 0.2"/></geometry></collision></link>
        <joint name="turn" type="continuous"><parent link="base"/><child link="arm"/>
        <axis xyz="0 0 1"/></joint></robot>"""
    post = Box("post", (0.2, 0.2, 0.2), (0.0, 1.0, 0.0))
    guard = Clearance(urdf, ["turn"], [""], [post], 0.02)
    for angle, distance in ((np.pi / 2, 0.3), (-np.pi / 2, 1.3), (2.5 * np.pi, 0.3)):
        assert guard.distances(np.array([angle])) == pytest.approx([distance], abs=1e-6)

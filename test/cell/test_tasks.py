"""Scenes, success tests and experts of the tasks."""

import numpy as np
import pytest

from dva_ros.cell.goal import TaskResult
from dva_ros.cell.task import SPLITS
from dva_ros.cell.tasks import find_task, task_names
from dva_ros.errors import UserError

pytest.importorskip("mujoco")

from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks.lift.goal import BoxState
from dva_ros.cell.tasks.pick_place.goal import CubeState
from dva_ros.cell.world import Pose
from dva_ros.data.cell_episodes import record_episode, record_random_motion


@pytest.fixture(scope="module")
def cell():
    cell = Cell()
    yield cell
    cell.close()


def _cube(position, openings=0.04):
    return CubeState(np.array(position), 0.0, {"left": openings, "right": openings})


def _box(height, tilt=0.0):
    rotation = np.array(
        [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    )
    return BoxState(Pose(np.array([0.0, 0.0, height]), rotation), {"left": 0.04, "right": 0.04})


@pytest.mark.parametrize("name", ["pick_place", "lift"])
def test_scenes_of_one_seed_repeat_and_differ_between_splits(name):
    task = find_task(name)
    positions = [task.scene(7, split).position for split in SPLITS]
    np.testing.assert_array_equal(positions[0], task.scene(7, SPLITS[0]).position)
    assert not np.allclose(positions[0], positions[1])
    assert not np.allclose(positions[1], positions[2])


def test_every_scene_differs_from_its_neighbours():
    places = {tuple(find_task("pick_place").scene(seed, "test").position) for seed in range(50)}
    assert len(places) == 50


def test_pick_place_wants_the_cube_released_in_the_tray():
    assert _cube([0.03, -0.03, 0.03]).delivered
    assert not _cube([0.03, -0.03, 0.03], openings=0.02).delivered
    assert not _cube([0.12, 0.0, 0.03]).delivered
    assert not _cube([0.0, 0.0, 0.12]).delivered


def test_lift_wants_the_box_high_and_level():
    assert _box(0.135).lifted
    assert not _box(0.12).lifted
    assert not _box(0.135, tilt=0.3).lifted


def test_an_unknown_task_or_split_is_refused_by_name():
    with pytest.raises(UserError, match="juggle"):
        find_task("juggle")
    with pytest.raises(UserError, match="holdout"):
        find_task("lift").scene(0, "holdout")


@pytest.mark.parametrize("name", task_names())
def test_the_undisturbed_expert_succeeds(cell, name):
    assert all(
        record_episode(cell, find_task(name), seed, "validation", perturb=False).success
        for seed in range(3)
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", task_names())
def test_the_disturbed_expert_recovers(cell, name):
    episodes = [
        record_episode(cell, find_task(name), seed, "validation", perturb=True)
        for seed in range(100, 120)
    ]
    assert sum(episode.success for episode in episodes) >= 19
    assert any(not episode.clean.all() for episode in episodes)


def test_the_nearer_arm_handles_the_cube(cell):
    for seed in range(4):
        episode = record_episode(cell, find_task("pick_place"), seed, "validation", perturb=False)
        moved = np.ptp(episode.state, axis=0)
        nearer_is_left = cell.scene.position[1] > 0
        assert (moved[:6].max() > 0.3) == nearer_is_left
        assert (moved[7:13].max() > 0.3) != nearer_is_left


def test_an_episode_is_reproduced_by_its_seed(cell):
    first, second = (
        record_episode(cell, find_task("pick_place"), 5, "validation", perturb=True)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.action, second.action)
    np.testing.assert_array_equal(first.images["overhead"], second.images["overhead"])


def test_actions_are_the_commands_one_frame_later(cell):
    """Replaying the recorded actions must track: measured state follows the action closely."""
    episode = record_episode(cell, find_task("pick_place"), 5, "validation", perturb=False)
    arms = [i for i, n in enumerate(cell.spec.joint_names) if "gripper" not in n]
    lag = np.abs(episode.state[1:, arms] - episode.action[:-1, arms]).max()
    assert lag < 0.12


def test_random_motion_moves_every_arm_joint(cell):
    episode = record_random_motion(cell, 0, "train")
    assert np.all(np.ptp(episode.state[:, :6], axis=0) > 0.02)
    assert episode.task == "random_motion"


def test_the_cameras_show_the_cube_in_its_colour(cell):
    cell.reset(find_task("pick_place"), 3, "validation")
    rgb = cell.render("overhead").astype(int)
    assert rgb.shape == (96, 128, 3)
    empty = rgb.copy()
    cell.world.place("object", np.array([0.0, 0.0, -3.0]), 0.0)
    empty = cell.render("overhead").astype(int)
    assert (np.abs(rgb - empty).sum(axis=-1) > 60).sum() > 20


def test_stages_of_the_plan_are_counted_as_repeated_and_skipped():
    plan = ("out", "front", "back", "binned")
    result = TaskResult(False, "", ("out", "back", "out", "binned"), plan)
    assert result.repeated == 1
    assert result.skipped == ("front",)
    assert TaskResult(False, "", ("out",), plan).skipped == ()
    assert TaskResult(False, "", (), plan).skipped == ()

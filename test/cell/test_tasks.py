"""Scenes, success tests and experts of the tasks."""

import numpy as np
import pytest

from dva_ros.cell.tasks import SPLITS, TASKS, ObjectState, task_named
from dva_ros.errors import UserError

pytest.importorskip("mujoco")

from dva_ros.cell.simulation import Cell
from dva_ros.data.cell_episodes import record_episode, record_random_motion


@pytest.fixture(scope="module")
def cell():
    cell = Cell()
    yield cell
    cell.close()


def _state(position, openings=0.04, tilt=0.0):
    rotation = np.array(
        [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    )
    return ObjectState(np.array(position), rotation, 0.0, {"left": openings, "right": openings})


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_scenes_of_one_seed_repeat_and_differ_between_splits(task):
    positions = [task.scene(7, split).object_position for split in SPLITS]
    np.testing.assert_array_equal(positions[0], task.scene(7, SPLITS[0]).object_position)
    assert not np.allclose(positions[0], positions[1])
    assert not np.allclose(positions[1], positions[2])


def test_every_scene_differs_from_its_neighbours():
    places = {tuple(TASKS["pick_place"].scene(seed, "test").object_position) for seed in range(50)}
    assert len(places) == 50


def test_pick_place_wants_the_cube_released_in_the_tray():
    task = task_named("pick_place")
    assert task.satisfied(_state([0.03, -0.03, 0.03]))
    assert not task.satisfied(_state([0.03, -0.03, 0.03], openings=0.02))
    assert not task.satisfied(_state([0.12, 0.0, 0.03]))
    assert not task.satisfied(_state([0.0, 0.0, 0.12]))


def test_lift_wants_the_box_high_and_level():
    task = task_named("lift")
    assert task.satisfied(_state([0.0, 0.0, 0.135]))
    assert not task.satisfied(_state([0.0, 0.0, 0.12]))
    assert not task.satisfied(_state([0.0, 0.0, 0.135], tilt=0.3))


def test_an_unknown_task_or_split_is_refused_by_name():
    with pytest.raises(UserError, match="juggle"):
        task_named("juggle")
    with pytest.raises(UserError, match="holdout"):
        TASKS["lift"].scene(0, "holdout")


@pytest.mark.parametrize("name", TASKS)
def test_the_undisturbed_expert_succeeds(cell, name):
    assert all(
        record_episode(cell, TASKS[name], seed, "validation", perturb=False).success
        for seed in range(3)
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_the_disturbed_expert_recovers(cell, name):
    episodes = [
        record_episode(cell, TASKS[name], seed, "validation", perturb=True)
        for seed in range(100, 120)
    ]
    assert sum(episode.success for episode in episodes) >= 19
    assert any(not episode.clean.all() for episode in episodes)


def test_the_nearer_arm_handles_the_cube(cell):
    for seed in range(4):
        episode = record_episode(cell, TASKS["pick_place"], seed, "validation", perturb=False)
        moved = np.ptp(episode.state, axis=0)
        nearer_is_left = cell.scene.object_position[1] > 0
        assert (moved[:6].max() > 0.3) == nearer_is_left
        assert (moved[7:13].max() > 0.3) != nearer_is_left


def test_an_episode_is_reproduced_by_its_seed(cell):
    first, second = (
        record_episode(cell, TASKS["pick_place"], 5, "validation", perturb=True) for _ in range(2)
    )
    np.testing.assert_array_equal(first.action, second.action)
    np.testing.assert_array_equal(first.images["overhead"], second.images["overhead"])


def test_actions_are_the_commands_one_frame_later(cell):
    """Replaying the recorded actions must track: measured state follows the action closely."""
    episode = record_episode(cell, TASKS["pick_place"], 5, "validation", perturb=False)
    arms = [i for i, n in enumerate(cell.spec.joint_names) if "gripper" not in n]
    lag = np.abs(episode.state[1:, arms] - episode.action[:-1, arms]).max()
    assert lag < 0.12


def test_random_motion_moves_every_arm_joint(cell):
    episode = record_random_motion(cell, 0, "train")
    assert np.all(np.ptp(episode.state[:, :6], axis=0) > 0.02)
    assert episode.task == "random_motion"


def test_the_cameras_show_the_cube_in_its_colour(cell):
    cell.reset(TASKS["pick_place"], 3, "validation")
    rgb = cell.render("overhead").astype(int)
    assert rgb.shape == (96, 128, 3)
    empty = rgb.copy()
    cell.place_object(np.array([0.0, 0.0, -3.0]), 0.0)
    empty = cell.render("overhead").astype(int)
    assert (np.abs(rgb - empty).sum(axis=-1) > 60).sum() > 20

"""The expert goes on from what another policy has made of the scene."""

from __future__ import annotations

import numpy as np
import pytest

from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks import find_task, task_names
from dva_ros.cell.timing import CONTROL_PERIOD_S
from dva_ros.data.cell_episodes import EpisodeRecorder, record_intervention
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.resources import config_path

SEED = 31


@pytest.fixture(scope="module")
def cell():
    cell = Cell()
    yield cell
    cell.close()


def clumsy(cell, task, seconds, aim_error_m):
    """A policy that works like the expert, beside the object, for a while."""

    def drive(recorder: EpisodeRecorder) -> bool:
        cell.reset(task, SEED, "train")
        expert = cell.task.expert(cell.scene)
        for side in expert.active_sides:
            expert.aim_offset[side][0] = aim_error_m
        while cell.time < seconds - 1e-9:
            recorder.frame(cell.command(), clean=False)
            for _ in range(recorder.ticks_per_frame):
                cell.step(expert.act(cell.world))
        return True

    return drive


@pytest.mark.parametrize("name", task_names())
@pytest.mark.parametrize("seconds", [0.4, 1.3, 2.1])
def test_the_expert_ends_what_a_clumsy_policy_began(cell, name, seconds):
    """Whatever phase it is in: on the way, down beside the object, or holding it badly."""
    task = find_task(name)
    drive = clumsy(cell, task, seconds, 0.03)
    episode = record_intervention(cell, task, SEED, "train", drive)
    handed_over = round(seconds / cell.spec.frame_period_s)
    assert episode.success
    assert not episode.clean[: handed_over + 1].any(), "a policy's mistakes are not imitated"
    assert episode.clean[handed_over + 1 :].all()


@pytest.mark.parametrize("name", task_names())
@pytest.mark.parametrize("seconds", [1.0, 1.9, 2.6])
def test_the_command_goes_on_smoothly_at_the_intervention(cell, name, seconds):
    """In every control period each joint keeps its velocity limit: nothing jumps."""
    task = find_task(name)
    clumsy(cell, task, seconds, 0.0)(EpisodeRecorder(cell))
    limits = JointLimits.load(config_path("joint_limits"), cell.spec.joint_names)
    expert = cell.task.expert(cell.scene)
    command = cell.command()
    expert.take_over(command, cell.velocities(), cell.world)
    for _ in range(50):
        previous, command = command, expert.act(cell.world)
        assert np.all(np.abs(command - previous) <= limits.velocity * CONTROL_PERIOD_S)
        cell.step(command)


def test_a_held_cube_is_carried_on_and_not_dropped(cell):
    """The gripper stays closed until the cube is over the tray."""
    task = find_task("pick_place")
    clumsy(cell, task, 3.0, 0.0)(EpisodeRecorder(cell))
    assert cell.world.pose("object").position[2] > 0.05, (
        "the cube is in the air when the expert takes over"
    )
    expert = cell.task.expert(cell.scene)
    expert.take_over(cell.command(), cell.velocities(), cell.world)
    assert expert.holding
    while expert.holding:
        cell.step(expert.act(cell.world))
    assert np.abs(cell.world.pose("object").position[:2]).max() < 0.05

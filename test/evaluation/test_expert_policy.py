"""The expert in place of the models: it reacts, and honours what is committed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks import find_task
from dva_ros.evaluation.closed_loop import ClosedLoop, LoopSettings
from dva_ros.evaluation.oracle import ExpertChunks
from dva_ros.evaluation.schedulers.timing import scheduler_timing
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


def _begun(cell: Cell) -> ExpertChunks:
    cell.reset(find_task("pick_place"), 0, "test")
    policy = ExpertChunks(cell, 8)
    policy.begin(0, "")
    return policy


def test_asking_leaves_the_cell_as_it_is(cell: Cell) -> None:
    """A fork is played; time, joints and what follows do not change."""
    policy = _begun(cell)
    before = (cell.time, cell.positions(), cell.command())
    policy.imagine(np.zeros((0, 14), np.float32))
    assert cell.time == before[0]
    np.testing.assert_array_equal(cell.positions(), before[1])
    np.testing.assert_array_equal(cell.command(), before[2])
    for _ in range(20):
        cell.step(before[2])
    undisturbed = cell.positions()
    _begun(cell)
    for _ in range(20):
        cell.step(before[2])
    np.testing.assert_array_equal(cell.positions(), undisturbed)


def test_the_expert_goes_on_from_where_the_committed_motion_ends(cell: Cell) -> None:
    """The first d targets are the committed ones, the next continues from them."""
    policy = _begun(cell)
    moved = cell.command()
    committed = np.tile(moved, (3, 1))
    committed[:, 0] += [0.02, 0.04, 0.06]
    targets = policy.imagine(committed.astype(np.float32)).targets
    assert targets.shape == (8, 14)
    np.testing.assert_allclose(targets[:3], committed, atol=1e-6)
    assert np.abs(targets[3] - targets[2]).max() < 0.08
    rested = _begun(cell).imagine(np.tile(moved, (3, 1)).astype(np.float32)).targets
    assert abs(targets[3, 0] - rested[3, 0]) > 0.02


def test_the_expert_reacts_to_an_object_that_has_moved(cell: Cell) -> None:
    """Replayed motion would not: the cube is elsewhere, so are the targets."""
    still = _begun(cell).imagine(np.zeros((0, 14), np.float32)).targets
    policy = _begun(cell)
    position = cell.world.pose("object").position
    cell.world.place("object", position + np.array([0.06, 0.0, 0.0]), 0.0)
    moved = policy.imagine(np.zeros((0, 14), np.float32)).targets
    assert np.abs(moved - still).max() > 0.02


@pytest.mark.parametrize("task", ["pick_place", "lift"])
@pytest.mark.parametrize("latency_s", [0.0, 0.4])
def test_it_succeeds_under_leapfrog_without_a_pause(
    cell: Cell, task: str, latency_s: float
) -> None:
    """Both tasks, at no latency and at the most that the horizon covers; nothing is broken."""
    parameters = scheduler_timing("leapfrog", LeapfrogParameters(), latency_s, 0.0)
    settings = LoopSettings(latency_s=latency_s, leapfrog=parameters, max_seconds=10.0)
    outcome = ClosedLoop(cell, ExpertChunks(cell, 8), LIMITS, settings).run(
        find_task(task), 1, "test"
    )
    assert outcome.success, outcome.outcome
    assert outcome.idle_s == pytest.approx(0.0, abs=1e-6)
    assert outcome.max_position_step_rad < 1e-6
    assert outcome.velocity_step_ratio <= 1.005
    assert outcome.refusals == {}
    assert outcome.moving_s > 1.0

"""The number of committed frames and of denoising steps follows the measured latency."""

from __future__ import annotations

import numpy as np
import pytest
from streams import HOME, LIMITS, NAMES, answer, frame

from dva_ros.leapfrog.latency_budget import LatencyBudget
from dva_ros.leapfrog.messages import Mode
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.scheduler import Leapfrog


def _fed(budget: LatencyBudget, latency: float, count: int, start: float = 0.0) -> list[str]:
    notes = [budget.add(latency, start + i) for i in range(count)]
    return [note for note in notes if note]


def test_committed_frames_follow_the_p99_within_their_bounds_and_say_so_once() -> None:
    """d covers the latency; cold starts do not count."""
    budget = LatencyBudget(LeapfrogParameters(inference_delay_frames=1, cold_start=2))
    assert _fed(budget, 5.0, 2) == []
    assert budget.committed_frames == 1
    notes = _fed(budget, 0.25, 30)
    assert budget.committed_frames == 3
    assert len(notes) == 1
    assert "3 committed frames" in notes[0]
    assert "0.250 s" in notes[0]


def test_at_250_ms_nothing_changes_and_beyond_300_one_more_frame_is_committed() -> None:
    """The shipped timing is the one that the models were measured with."""
    budget = LatencyBudget(LeapfrogParameters())
    assert _fed(budget, 0.25, 50) == []
    assert budget.committed_frames == 3
    _fed(budget, 0.31, 3)
    assert budget.committed_frames == 4


def test_a_single_stall_neither_costs_steps_nor_motion() -> None:
    """One inference of five seconds is no reason to stop for good."""
    budget = LatencyBudget(LeapfrogParameters(num_steps=4))
    _fed(budget, 0.25, 110)
    _fed(budget, 5.0, 1)
    assert budget.num_steps == 4
    assert budget.refusal(111.0) == ""


def test_the_predictors_own_steps_are_reduced_as_soon_as_chunks_say_how_many_they_are() -> None:
    """num_steps 0 leaves the choice to the predictor, until the horizon cannot cover it."""
    budget = LatencyBudget(LeapfrogParameters(least_steps=2, cold_start=0))
    notes = [budget.add(0.6, 0.3 * i, num_steps=4) for i in range(10)]
    assert notes[-1].endswith("3 denoising steps from now on")
    assert budget.num_steps == 3
    for i in range(11):
        budget.add(0.5, 10.0 + i, num_steps=3)
    assert budget.num_steps == 2
    for i in range(20):
        budget.add(0.25, 30.0 + i, num_steps=2)
    assert budget.num_steps == 2
    assert budget.refusal(60.0) == ""


def test_a_stall_among_the_first_chunks_costs_no_step() -> None:
    """Ten latencies, one of them of five seconds: the p99 is it, the rest is fine."""
    budget = LatencyBudget(LeapfrogParameters(num_steps=4, cold_start=0))
    _fed(budget, 5.0, 1)
    _fed(budget, 0.25, 30)
    assert budget.num_steps == 4
    assert budget.refusal(31.0) == ""


def test_steps_are_reduced_before_motion_is_refused() -> None:
    """Latency that the horizon cannot cover: fewer steps one by one, then refusal."""
    budget = LatencyBudget(LeapfrogParameters(num_steps=3, least_steps=2, cold_start=0))
    notes = _fed(budget, 0.6, 10)
    assert budget.num_steps == 2
    assert "2 denoising steps" in notes[-1]
    assert budget.refusal(10.0) == ""
    _fed(budget, 0.6, 11, start=10.0)
    assert budget.num_steps == 2
    assert "horizon 8 < 2 x 6" in budget.refusal(21.0)
    assert "0.600 s" in budget.refusal(21.0)
    assert "time_scaling of 0.66 times what it is" in budget.refusal(21.0)


def test_a_horizon_that_cannot_cover_the_latency_holds_and_refuses_to_engage() -> None:
    """H < 2 d: the robot stops with the figures, and stays so until latency may have changed."""
    leapfrog = Leapfrog(LeapfrogParameters(cold_start=0), LIMITS, NAMES)
    leapfrog.engage(0.0, HOME)
    request, due, now = None, 0.0, 0.0
    for tick in range(0, 1200, 5):
        now = tick * 0.01
        leapfrog.on_joint_states(now, HOME)
        if request is not None and now >= due - 1e-9:
            leapfrog.accept(answer(request, np.tile(HOME, (8, 1))), now)
            request = None
        if tick % 10 == 0:
            made = leapfrog.on_frame(frame(tick // 10), now).request
            request, due = (made, now + 0.55) if made is not None else (request, due)
        leapfrog.watch(now)
    assert leapfrog.state.mode == Mode.HOLDING
    assert "horizon 8 < 2 x 6" in leapfrog.state.reason
    leapfrog.disengage(now)
    assert "horizon 8 < 2 x 6" in leapfrog.engage(now, HOME).refusal
    assert leapfrog.engage(now + 40.0, HOME).refusal == ""


def test_the_request_asks_for_the_steps_of_the_budget() -> None:
    """The predictor is told."""
    leapfrog = Leapfrog(LeapfrogParameters(num_steps=5), LIMITS, NAMES)
    leapfrog.engage(0.0, HOME)
    request = leapfrog.on_frame(frame(0), 0.0).request
    assert request is not None
    assert request.num_steps == 5
    assert len(request.committed) == 3
    assert leapfrog.status(0.0).committed_frames == 3
    assert leapfrog.status(0.0).num_steps == 5


def test_committed_frames_beyond_half_the_horizon_are_refused() -> None:
    """H >= 2 d."""
    with pytest.raises(ValueError, match="max_inference_delay_frames"):
        LeapfrogParameters(max_inference_delay_frames=5)

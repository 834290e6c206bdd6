"""What the scheduler asks for, follows and refuses, and how it comes to a stop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streams import HOME, LIMITS, NAMES, Stream, answer, engaged, frame, targets_after, waves

from dva_ros.leapfrog.messages import Frame, Mode, Request
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.scheduler import Leapfrog


def _request(leapfrog: Leapfrog, index: int) -> Request:
    request = leapfrog.on_frame(frame(index), index * 0.1).request
    assert request is not None
    return request


def _after_first_chunk(latency: float = 0.25) -> Leapfrog:
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    _keep_alive(leapfrog, 1, int(np.ceil(latency * 10 - 1e-9)))
    assert leapfrog.accept(answer(request, targets_after(0)), latency).trajectory is not None
    return leapfrog


def _keep_alive(leapfrog: Leapfrog, start: int, stop: int) -> None:
    for index in range(start, stop):
        leapfrog.on_joint_states(index * 0.1, HOME)
        leapfrog.on_frame(frame(index), index * 0.1)


def test_one_request_is_in_flight_and_a_new_one_every_execute_frames() -> None:
    """The predictor is never asked twice at once, nor more often than configured."""
    leapfrog = engaged()
    asked = []
    request = None
    for index in range(14):
        now = index * 0.1
        leapfrog.on_joint_states(now, HOME)
        if request is not None and index in (4, 6, 9, 12):
            leapfrog.accept(answer(request, targets_after(request.frame_index)), now)
        decision = leapfrog.on_frame(frame(index), now)
        if decision.request is not None:
            request = decision.request
            asked.append(index)
    assert asked == [0, 4, 7, 10, 13]


def test_the_request_carries_what_is_executing_at_the_next_grid_times() -> None:
    """Committed targets are the executing motion, sampled at n+1 .. n+d."""
    leapfrog = _after_first_chunk()
    request = _request(leapfrog, 3)
    motion = leapfrog.state.motion
    expected = motion.sample(np.array([0.4, 0.5, 0.6]))[0]
    assert request.committed.dtype == np.float32
    np.testing.assert_allclose(request.committed, expected, atol=1e-6)
    np.testing.assert_allclose(request.anchor, motion.sample(0.3)[0], atol=1e-9)


def test_targets_are_met_at_their_own_times() -> None:
    """After the blend the motion passes through the targets, whenever the chunk came."""
    for latency in (0.1, 0.25, 0.31):
        leapfrog = _after_first_chunk(latency)
        q, _, _ = leapfrog.state.motion.sample(np.array([0.7, 0.8]))
        np.testing.assert_allclose(q, waves(np.array([0.7, 0.8])), atol=4e-3)


def test_a_message_begins_on_the_executing_motion_and_ends_at_rest() -> None:
    """Every message is self-sufficient: overlap, targets, braking tail."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    before = leapfrog.state.motion
    trajectory = leapfrog.accept(answer(request, targets_after(0)), 0.25).trajectory
    assert trajectory is not None
    first, last = trajectory.points[0], trajectory.points[-1]
    assert trajectory.joint_names == NAMES
    assert first.time_from_start == pytest.approx(0.02)
    q, v, _ = before.sample(trajectory.stamp + first.time_from_start)
    np.testing.assert_allclose(first.positions, q)
    np.testing.assert_allclose(first.velocities, v)
    assert last.velocities is not None
    assert not last.velocities.any()
    assert trajectory.stamp + last.time_from_start > 0.8
    assert (np.diff([p.time_from_start for p in trajectory.points]) > 0).all()


def test_consumed_targets_are_dropped_and_counted_not_retimed() -> None:
    """A chunk two frames late skips two targets and meets the rest on time."""
    leapfrog = _after_first_chunk(latency=0.49)
    assert leapfrog.state.consumed_ticks == 2
    np.testing.assert_allclose(
        leapfrog.state.motion.sample(0.8)[0], waves(np.array([0.8]))[0], atol=1e-2
    )


def test_a_chunk_whose_targets_are_all_past_is_refused() -> None:
    """No motion is made of a future that is over."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    _keep_alive(leapfrog, 1, 9)
    decision = leapfrog.accept(answer(request, targets_after(0)), 0.85)
    assert decision.trajectory is None
    assert decision.refusal.startswith("late chunk")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_target_that_is_not_finite_is_refused_by_name(value: float) -> None:
    """NaN never reaches a controller, which would not check."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    targets = targets_after(0)
    targets[5, 3] = value
    decision = leapfrog.accept(answer(request, targets), 0.2)
    assert decision.trajectory is None
    assert NAMES[3] in decision.refusal
    assert "target 6" in decision.refusal
    assert leapfrog.state.refusals["not finite"] == 1
    assert _request_after_refusal(leapfrog)


def _request_after_refusal(leapfrog: Leapfrog) -> bool:
    leapfrog.on_joint_states(0.25, HOME)
    return leapfrog.on_frame(frame(3), 0.3).request is not None


def test_other_joints_shapes_and_orders_are_refused() -> None:
    """A chunk for another robot is not executed."""
    targets = targets_after(0)
    for names, values, kind in (
        (("other", *NAMES[1:]), targets, "wrong joints"),
        (NAMES[::-1], targets, "wrong joints"),
        (NAMES, targets[:5], "wrong shape"),
        (NAMES, targets[:, :5], "wrong shape"),
    ):
        leapfrog = engaged()
        request = _request(leapfrog, 0)
        decision = leapfrog.accept(answer(request, values, names), 0.2)
        assert decision.trajectory is None
        assert decision.refusal.startswith(kind)


def test_duplicate_old_and_foreign_chunks_are_refused() -> None:
    """Only the answer to the open request becomes motion, once."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    chunk = answer(request, targets_after(0))
    foreign = answer(Request(9, 99, 0, 0.0, request.committed, HOME), targets_after(0))
    assert "unexpected chunk" in leapfrog.accept(foreign, 0.2).refusal
    assert leapfrog.accept(chunk, 0.2).trajectory is not None
    assert "unexpected chunk" in leapfrog.accept(chunk, 0.21).refusal


def test_a_jump_and_a_target_out_of_range_are_refused_with_the_joint() -> None:
    """Small disagreement is blended, a jump is not executed."""
    for change, kind in ((0.7, "jump"), (4.0, "position limit")):
        leapfrog = engaged()
        request = _request(leapfrog, 0)
        targets = targets_after(0)
        targets[:, 2] += change
        decision = leapfrog.accept(answer(request, targets), 0.25)
        assert decision.trajectory is None
        assert decision.refusal.startswith(kind)
        assert NAMES[2] in decision.refusal


def test_too_fast_motion_is_refused_and_a_little_too_fast_is_smoothed() -> None:
    """Small excess is smoothed away, large is refused with joint and limit."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    hasty = targets_after(0)
    hasty[5:, 4] += 0.2
    assert leapfrog.accept(answer(request, hasty), 0.25).trajectory is not None
    assert leapfrog.state.smoothed == 1
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    wild = targets_after(0)
    wild[4:, 4] += 1.9
    decision = leapfrog.accept(answer(request, wild), 0.25)
    assert decision.refusal.startswith("motion limit")
    assert NAMES[4] in decision.refusal


@pytest.mark.parametrize("change", [0.9, 1.2, 4.0, -9.0])
def test_a_wild_target_that_would_not_execute_costs_itself_not_the_chunk(change: float) -> None:
    """Targets beyond n + d + execution_horizon are a reserve: those that can be are followed."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    blurred = targets_after(0)
    blurred[7, 4] += change
    decision = leapfrog.accept(answer(request, blurred), 0.25)
    assert decision.trajectory is not None
    assert decision.refusal == ""
    assert leapfrog.state.dropped_targets == 1
    assert leapfrog.state.committed_until == pytest.approx(0.7)
    expected = waves(np.array([0.7]))[0]
    np.testing.assert_allclose(leapfrog.state.motion.sample(0.7)[0], expected, atol=4e-3)


def test_the_reserve_is_followed_where_it_can_be() -> None:
    """A good reserve keeps the robot moving when the next chunk is late."""
    leapfrog = _after_first_chunk()
    assert leapfrog.state.dropped_targets == 0
    assert leapfrog.state.committed_until == pytest.approx(0.8)


def test_a_late_chunk_is_judged_by_the_target_that_is_left() -> None:
    """Where only the reserve is left, it is what executes: wild, it is refused."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    _keep_alive(leapfrog, 1, 7)
    targets = np.tile(HOME, (8, 1))
    targets[7, 4] += 1.2
    refusal = leapfrog.accept(answer(request, targets), 0.65).refusal
    assert NAMES[4] in refusal


def test_without_frames_it_stops_by_itself_and_resumes_when_they_return() -> None:
    """Stale input: no new motion; the tail that is on the wire ends at rest."""
    leapfrog = _after_first_chunk()
    assert leapfrog.state.mode == Mode.ENGAGED
    leapfrog.on_joint_states(0.6, HOME)
    leapfrog.watch(0.6)
    assert leapfrog.state.mode == Mode.STOPPING
    assert "no context frame" in leapfrog.state.reason
    leapfrog.on_joint_states(1.5, HOME)
    leapfrog.watch(1.5)
    assert leapfrog.state.mode == Mode.HOLDING
    decision = leapfrog.on_frame(frame(16), 1.6)
    assert decision.request is not None
    chunk = answer(decision.request, np.tile(leapfrog.state.motion.final_position, (8, 1)))
    leapfrog.on_joint_states(1.8, HOME)
    assert leapfrog.accept(chunk, 1.8).trajectory is not None
    assert leapfrog.state.mode == Mode.ENGAGED


def test_a_chunk_is_refused_while_input_is_stale() -> None:
    """Motion made of old pictures is not continued."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    leapfrog.on_joint_states(0.4, HOME)
    decision = leapfrog.accept(answer(request, targets_after(0)), 0.4)
    assert decision.trajectory is None
    assert "no context frame" in decision.refusal


def test_silent_or_broken_joint_states_stop_motion() -> None:
    """Without the robot's own state nothing new is sent; NaN is named."""
    leapfrog = _after_first_chunk()
    for index in range(3, 7):
        leapfrog.on_frame(frame(index), index * 0.1)
    assert leapfrog.state.mode == Mode.STOPPING
    assert "no joint states" in leapfrog.state.reason
    leapfrog = _after_first_chunk()
    broken = HOME.copy()
    broken[6] = np.nan
    leapfrog.on_joint_states(0.27, broken)
    assert leapfrog.state.mode == Mode.STOPPING
    assert NAMES[6] in leapfrog.state.reason
    assert leapfrog.on_frame(frame(3), 0.3).request is None
    leapfrog.on_joint_states(0.31, HOME)
    assert leapfrog.state.mode == Mode.ENGAGED


def test_a_missing_chunk_ends_in_holding_and_counts_as_idle() -> None:
    """The time after the last target, braking tail included, is reported as idle."""
    leapfrog = _after_first_chunk()
    _keep_alive(leapfrog, 3, 13)
    leapfrog.watch(1.2)
    assert leapfrog.state.mode == Mode.HOLDING
    assert leapfrog.state.reason == "no chunk in time"
    assert leapfrog.state.idle_s(1.2) == pytest.approx(0.4, abs=1e-6)
    assert leapfrog.status(1.2).idle_s == pytest.approx(0.4, abs=1e-6)


def test_an_unanswered_request_is_given_up_and_made_again() -> None:
    """A predictor that died does not block its successor."""
    leapfrog = engaged()
    _request(leapfrog, 0)
    _keep_alive(leapfrog, 1, 20)
    leapfrog.on_joint_states(2.05, HOME)
    decision = leapfrog.on_frame(frame(20), 2.05)
    assert decision.request is not None
    assert leapfrog.state.refusals["no answer"] == 1


def test_a_request_that_gets_a_refusal_is_made_again_at_the_next_frame() -> None:
    """A predictor that has passed the frame says so; the robot does not wait for nothing."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    refused = replace(answer(request, np.empty((0, len(NAMES)))), refusal="frame 1 is past")
    decision = leapfrog.accept(refused, 0.05)
    assert decision.refusal == "no answer: frame 1 is past"
    assert decision.request is None
    assert leapfrog.on_frame(frame(1), 0.1).request is not None
    assert leapfrog.state.budget.latency.count == 0


def test_a_refused_chunk_has_the_newest_frame_asked_for_and_costs_no_idle_time() -> None:
    """Asking only at the next frame would leave motion half a frame short."""
    leapfrog = _after_first_chunk()
    request = _request(leapfrog, 3)
    _keep_alive(leapfrog, 4, 6)
    wild = targets_after(3) + 10 * LIMITS.jump
    decision = leapfrog.accept(answer(request, wild), 0.55)
    assert decision.refusal.startswith(("jump", "position limit"))
    assert decision.trajectory is None
    assert decision.request is not None
    assert decision.request.frame_index == 5
    _keep_alive(leapfrog, 6, 9)
    good = answer(decision.request, targets_after(5))
    assert leapfrog.accept(good, 0.8).trajectory is not None
    assert leapfrog.state.idle_s(0.85) == 0.0


def test_a_refusal_of_another_request_leaves_the_open_one_open() -> None:
    """Only the answer that is waited for ends the waiting."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    other = replace(request, request_id=request.request_id + 1)
    refused = replace(answer(other, targets_after(0)), refusal="too late")
    assert "unexpected chunk" in leapfrog.accept(refused, 0.05).refusal
    assert leapfrog.state.in_flight is request


def test_a_new_session_drops_the_open_request_and_asks_anew() -> None:
    """After the context was cleared old answers mean nothing."""
    leapfrog = engaged()
    request = _request(leapfrog, 0)
    decision = leapfrog.on_frame(Frame(2, 0, 0.1), 0.1)
    assert decision.request is not None
    assert decision.request.session == 2
    assert leapfrog.accept(answer(request, targets_after(0)), 0.2).trajectory is None


def test_repeated_old_and_future_frames_are_not_news() -> None:
    """Duplicates, reordered and wrongly stamped frames neither ask nor keep alive."""
    leapfrog = engaged()
    _request(leapfrog, 0)
    assert "out of order" in leapfrog.on_frame(frame(0), 0.05).refusal
    assert "stale" in leapfrog.on_frame(frame(30), 0.1).refusal
    assert "stale" in leapfrog.on_frame(frame(1), 0.9).refusal
    assert leapfrog.state.frame == frame(0)


def test_the_reason_of_a_disengagement_outlives_late_frames() -> None:
    """A stall of the machine after it must not hide from the operator why the robot stopped."""
    leapfrog = engaged()
    leapfrog.disengage(0.1, "controller arm has been silent")
    assert "stale" in leapfrog.on_frame(frame(1), 0.9).refusal
    assert leapfrog.state.reason == "controller arm has been silent"
    assert leapfrog.state.refusals["frame stale"] == 1


def test_a_clock_that_steps_back_disarms_and_sends_nothing() -> None:
    """A reset of simulated time never fires old motion: the new robot is elsewhere."""
    leapfrog = _after_first_chunk()
    leapfrog.watch(0.5)
    decision = leapfrog.watch(0.1)
    assert leapfrog.state.mode == Mode.FAULT
    assert "clock" in decision.refusal
    assert decision.trajectory is None
    assert leapfrog.on_frame(frame(3), 0.3).request is None
    assert leapfrog.watch(0.35).trajectory is None
    leapfrog.engage(0.4, HOME)
    assert leapfrog.on_frame(frame(4), 0.4).request is not None


def test_disengaging_mid_motion_stops_smoothly_and_soon() -> None:
    """Disengaging sends its own stop; at rest within the braking time."""
    leapfrog = engaged()
    stream = Stream(leapfrog)
    request = None
    for tick in range(200):
        now = tick * 0.01
        if tick % 10 == 0 and leapfrog.state.engaged:
            request = leapfrog.on_frame(frame(tick // 10), now).request or request
        if tick in (25, 55):
            assert request is not None
            targets = targets_after(request.frame_index, 2.0)
            stream.send(leapfrog.accept(answer(request, targets), now), now)
        if tick == 90:
            assert np.abs(stream.commands[-1] - stream.commands[-2]).max() > 0.005
            stream.send(leapfrog.disengage(now), now)
            assert leapfrog.state.mode == Mode.STOPPING
        stream.tick(now)
    assert leapfrog.state.mode == Mode.DISENGAGED
    moved = np.abs(np.diff(np.stack(stream.commands), axis=0)).max(axis=1)
    assert moved[90 + 35 :].max() < 1e-9
    assert stream.steps.velocity_ratio <= 1.001
    assert stream.refusals == []


def test_disengaged_it_asks_for_nothing_and_sends_nothing() -> None:
    """Before engage and after disengage it is silent."""
    leapfrog = Leapfrog(LeapfrogParameters(), LIMITS, NAMES)
    assert leapfrog.on_frame(frame(0), 0.0).request is None
    assert leapfrog.disengage(0.1).trajectory is None
    leapfrog.engage(0.2, HOME)
    assert leapfrog.disengage(0.3).trajectory is None
    assert leapfrog.state.mode == Mode.DISENGAGED


def test_engaging_on_unusable_positions_is_refused() -> None:
    """NaN, a wrong count and a joint far outside its range: refused, with the joint's name."""
    leapfrog = Leapfrog(LeapfrogParameters(), LIMITS, NAMES)
    bad = HOME.copy()
    bad[1] = np.nan
    assert NAMES[1] in leapfrog.engage(0.0, bad).refusal
    assert "14" in leapfrog.engage(0.0, HOME[:3]).refusal
    bad[1] = 4.0
    assert NAMES[1] in leapfrog.engage(0.0, bad).refusal
    assert leapfrog.state.mode == Mode.DISENGAGED


def test_latency_leaves_the_cold_start_out() -> None:
    """Warm-up does not inflate the percentiles (it did in a peer)."""
    leapfrog = engaged()
    request, due = None, {}
    for tick in range(0, 300, 5):
        now = tick * 0.01
        leapfrog.on_joint_states(now, HOME)
        if request is not None and now >= due[request.request_id] - 1e-9:
            leapfrog.accept(answer(request, targets_after(request.frame_index, 0.2)), now)
            request = None
        if tick % 10 == 0:
            made = leapfrog.on_frame(frame(tick // 10), now).request
            if made is not None:
                request = made
                due[made.request_id] = now + (0.4 if made.request_id <= 2 else 0.15)
    status = leapfrog.status(3.0)
    assert status.predictions > 5
    assert status.latency_p99_s == pytest.approx(0.15, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"lead_s": 0.01}, "lead_s"),
        ({"inference_delay_frames": 5}, "inference_delay_frames"),
        ({"execution_horizon": 6}, "execution_horizon"),
        ({"frame_period_s": 0.0}, "frame_period_s"),
        ({"overlap_s": 0.0}, "overlap_s"),
    ],
)
def test_timing_that_cannot_work_is_refused_by_name(changes: dict[str, float], name: str) -> None:
    """A horizon that does not cover the latency is refused before anything moves."""
    with pytest.raises(ValueError, match=name):
        LeapfrogParameters(**changes)  # type: ignore[arg-type]

"""Streams of chunks onto the emulated controller: no step, no limit broken, on any generation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_chunks import Storm
from streams import HOME, LIMITS, NAMES, SCALE, Stream, answer, engaged, frame, targets_after

from dva_ros.cell.controller import Generation
from dva_ros.leapfrog.messages import Request
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.splice import violation

TICKS = 250


def _play(
    seed: int,
    generation: Generation,
    noise: float,
    latency: tuple[float, float],
    *,
    between_ticks: bool = True,
    adversarial: bool = False,
    groups: Sequence[tuple[str, ...]] = (NAMES,),
) -> Stream:
    """Run a stream for 2.5 s; chunks arrive at any time, also between controller updates."""
    rng = np.random.default_rng(seed)
    leapfrog = engaged()
    stream = Stream(leapfrog, generation, groups)
    due: list[tuple[float, object]] = []
    for tick in range(TICKS):
        now = tick * 0.01
        for time, chunk in [item for item in due if item[0] <= now]:
            due.remove((time, chunk))
            arrival = max(time, leapfrog.state.now) if between_ticks else now
            decision = leapfrog.accept(chunk, arrival)  # type: ignore[arg-type]
            assert violation(leapfrog.state.motion, LIMITS) == ""
            stream.send(decision, arrival)
        if tick % 10 == 0:
            request = leapfrog.on_frame(frame(tick // 10), now).request
            if request is not None:
                speed = rng.uniform(0.2, 2.0) if adversarial else 1.0
                targets = targets_after(request.frame_index, speed)
                targets += noise * SCALE * rng.normal(0, 1, targets.shape)
                if adversarial and rng.random() < 0.2:
                    joint, value = rng.integers(len(NAMES)), rng.choice([np.nan, np.inf, 3.3, -9])
                    targets[rng.integers(8) :, joint] = value
                if rng.random() > 0.1 or not adversarial:
                    due.append((now + rng.uniform(*latency), answer(request, targets)))
        stream.tick(now)
    assert stream.refusals == []
    return stream


def _assert_smooth(stream: Stream) -> None:
    commands = np.stack(stream.commands)
    assert np.isfinite(commands).all()
    assert (commands >= LIMITS.lower - 1e-6).all()
    assert (commands <= LIMITS.upper + 1e-6).all()
    speed = np.abs(np.diff(commands, axis=0)).max(0) / 0.01
    assert (speed <= LIMITS.velocity * 1.001).all()
    assert stream.steps.velocity_ratio <= 1.005
    assert stream.steps.position_step_rad < 1e-4
    jerk = np.abs(np.diff(commands, n=3, axis=0)).max(0) / 0.01**3
    assert (jerk <= LIMITS.jerk * 1.005).all()


@pytest.mark.parametrize("generation", list(Generation))
def test_a_steady_stream_is_continuous_on_every_generation(generation: Generation) -> None:
    """Chunks at 250 ms and some jitter: no step at any splice, and no time without motion."""
    stream = _play(1, generation, noise=0.003, latency=(0.2, 0.3))
    _assert_smooth(stream)
    state = stream.leapfrog.state
    assert state.predictions >= 6
    assert not state.refusals
    assert state.idle_s(TICKS * 0.01) == 0.0
    assert state.max_position_step < 1e-9
    assert state.max_velocity_step < 1e-6
    assert np.abs(stream.commands[-1] - HOME).max() > 0.2


ARMS_AND_GRIPPERS = (
    tuple(name for name in NAMES if name.startswith("right_") and name != "right_gripper"),
    ("left_gripper",),
    tuple(reversed([name for name in NAMES[:7] if name != "left_gripper"])),
    ("right_gripper",),
)
"""Four controllers, one of them with its joints in another order."""


@pytest.mark.parametrize("generation", list(Generation))
def test_four_controllers_move_the_robot_as_one_does(generation: Generation) -> None:
    """A controller an arm and one a gripper: the commands are those of one of all joints."""
    one = _play(4, generation, 0.01, (0.1, 0.5), adversarial=True)
    four = _play(4, generation, 0.01, (0.1, 0.5), adversarial=True, groups=ARMS_AND_GRIPPERS)
    np.testing.assert_allclose(np.stack(four.commands), np.stack(one.commands), atol=1e-12)
    assert np.ptp(np.stack(one.commands), axis=0).min() > 0.01


@given(
    seed=st.integers(0, 2**31),
    generation=st.sampled_from(list(Generation)),
    noise=st.sampled_from([0.0, 0.01, 0.05, 0.3]),
    latency=st.sampled_from([(0.0, 0.1), (0.1, 0.5), (0.2, 1.5)]),
)
@settings(max_examples=25, deadline=None)
def test_random_streams_never_step_nor_break_a_limit(
    seed: int, generation: Generation, noise: float, latency: tuple[float, float]
) -> None:
    """Whatever comes and whenever, the controller's output is smooth and inside the limits."""
    _assert_smooth(_play(seed, generation, noise, latency, adversarial=True))


@given(seed=st.integers(0, 2**31), end=st.integers(30, 120))
@settings(max_examples=15, deadline=None)
def test_silence_after_any_chunk_is_a_smooth_stop(seed: int, end: int) -> None:
    """The tail on the wire brings the robot to rest if the scheduler dies at any moment."""
    rng = np.random.default_rng(seed)
    leapfrog = engaged()
    stream = Stream(leapfrog)
    pending: list[tuple[int, object]] = []
    for tick in range(end + 140):
        now = tick * 0.01
        if tick < end:
            for due, chunk in [item for item in pending if item[0] <= tick]:
                pending.remove((due, chunk))
                stream.send(leapfrog.accept(chunk, now), now)  # type: ignore[arg-type]
            if tick % 10 == 0:
                request = leapfrog.on_frame(frame(tick // 10), now).request
                if request is not None:
                    targets = targets_after(request.frame_index, 1.5)
                    pending.append((tick + int(rng.integers(10, 30)), answer(request, targets)))
        stream.tick(now)
    tail = np.stack(stream.commands)[-10:]
    assert np.abs(np.diff(tail, axis=0)).max() < 1e-12
    _assert_smooth(stream)


def test_the_same_stream_gives_the_same_motion() -> None:
    """Nothing depends on the wall clock or on hidden state."""
    first = _play(3, Generation.JAZZY, 0.02, (0.1, 0.4), adversarial=True)
    second = _play(3, Generation.JAZZY, 0.02, (0.1, 0.4), adversarial=True)
    np.testing.assert_array_equal(np.stack(first.commands), np.stack(second.commands))


@given(st.integers(0, 2**31), st.sampled_from((1.0, 0.5, 0.25)))
@settings(max_examples=12, deadline=None)
def test_no_chunk_breaks_a_limit_on_the_wire(seed: int, time_scaling: float) -> None:
    """Each message keeps every limit, jerk included, and continues the one before."""
    storm = Storm(seed, time_scaling).run(30)
    assert storm.faults == []
    assert storm.counts["sent"] > 0


@pytest.mark.slow
def test_many_random_chunks_break_no_limit_on_the_wire() -> None:
    """As above, many more; a million: python test/leapfrog/random_chunks.py --chunks 1000000."""
    storm = Storm(1).run(20000)
    assert storm.faults == []


def test_motion_does_not_slow_down_between_chunks_at_the_greatest_latency() -> None:
    """At 400 ms a chunk comes when the last target of the one before is reached; for the lead of
    its message the robot coasts, where it used to brake (to a third of its speed)."""
    leapfrog = engaged(parameters=LeapfrogParameters(inference_delay_frames=4))
    speed = 0.6 * (np.arange(len(NAMES)) == 0)
    due: tuple[float, Request] | None = None
    speeds = []
    for tick in range(320):
        now = tick * 0.01
        if due is not None and now >= due[0] - 1e-9:
            request, due = due[1], None
            ahead = 0.1 * (request.frame_index + np.arange(1, 9))[:, None]
            assert leapfrog.accept(answer(request, HOME + ahead * speed), now).refusal == ""
        if tick % 10 == 0:
            request = leapfrog.on_frame(frame(tick // 10), now).request
            due = (now + 0.4, request) if request is not None else due
        leapfrog.on_joint_states(now, leapfrog.state.motion.sample(now)[0])
        leapfrog.watch(now)
        speeds.append(leapfrog.state.motion.sample(now)[1][0])
    assert min(speeds[200:]) > 0.7 * 0.6
    assert leapfrog.state.idle_s(3.19) < 1e-6

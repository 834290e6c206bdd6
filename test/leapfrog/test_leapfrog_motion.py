"""Motion, braking and shaping: exact extremes, always to rest, always inside the limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import HOME, LIMITS, NAMES, SCALE

from dva_ros.leapfrog.braking import brake
from dva_ros.leapfrog.motion import Motion
from dva_ros.leapfrog.shaping import Shaper
from dva_ros.leapfrog.splice import violation
from dva_ros.leapfrog.target_spline import curve_through

SEEDS = st.integers(0, 2**31)
SHAPER = Shaper(LIMITS, step_s=0.025, smoothing_s=0.03)
ALIKE = ((np.inf, 1.0),)


def _random_motion(seed: int, knots: int = 7) -> Motion:
    rng = np.random.default_rng(seed)
    times = 3.0 + np.cumsum(rng.uniform(0.02, 0.3, knots))
    shape = (knots, len(NAMES))
    return Motion(times, rng.normal(0, 1, shape), rng.normal(0, 2, shape))


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_extremes_are_those_of_a_dense_sampling(seed: int) -> None:
    """Limits are checked on the whole spline, not only at its knots."""
    motion = _random_motion(seed)
    q, v, a = motion.sample(np.linspace(motion.start, motion.end, 20001))
    extremes = motion.extremes()
    np.testing.assert_allclose(extremes.lowest, q.min(0), atol=2e-3)
    np.testing.assert_allclose(extremes.highest, q.max(0), atol=2e-3)
    assert (extremes.lowest <= q.min(0) + 1e-9).all()
    assert (extremes.highest >= q.max(0) - 1e-9).all()
    assert (extremes.speed >= np.abs(v).max(0) - 1e-9).all()
    np.testing.assert_allclose(extremes.speed, np.abs(v).max(0), rtol=0.01)
    np.testing.assert_allclose(extremes.acceleration, np.abs(a).max(0), rtol=0.01)
    inside = np.diff(a, axis=0) / ((motion.end - motion.start) / 20000)
    at_knots = np.searchsorted(np.linspace(motion.start, motion.end, 20001), motion.times) - 1
    between = np.delete(inside, at_knots.clip(0), axis=0)
    np.testing.assert_allclose(extremes.jerk, np.abs(between).max(0), rtol=0.01)
    last = np.abs(a[-1])
    assert (extremes.acceleration_step >= last - 1e-9).all()


def test_sampling_agrees_with_its_own_derivatives() -> None:
    """Velocity and acceleration are those of the position curve."""
    motion = _random_motion(4)
    times = np.linspace(motion.start + 1e-3, motion.end - 1e-3, 500)
    h = 1e-6
    q_after, v_after, _ = motion.sample(times + h)
    q_before, v_before, _ = motion.sample(times - h)
    _, v, a = motion.sample(times)
    np.testing.assert_allclose((q_after - q_before) / (2 * h), v, atol=1e-3)
    near_knot = (np.abs(times[:, None] - motion.times) < 1e-5).any(1)
    np.testing.assert_allclose(
        ((v_after - v_before) / (2 * h))[~near_knot], a[~near_knot], atol=1e-2
    )


def test_before_and_after_a_motion_is_rest() -> None:
    """A controller holds the last point; before its start a motion stood still."""
    motion = _random_motion(5)
    for time, knot in ((motion.start - 1, 0), (motion.end + 1, -1)):
        q, v, a = motion.sample(time)
        np.testing.assert_allclose(q, motion.positions[knot], atol=1e-12)
        assert not v.any()
        assert not a.any()


def test_cutting_and_joining_changes_nothing() -> None:
    """A spline cut at any time and joined again is the same motion."""
    motion = _random_motion(6)
    cut = 0.5 * (motion.times[2] + motion.times[3])
    q, v, _ = motion.sample(np.append(cut, motion.times[3:]))
    later = Motion(np.append(cut, motion.times[3:]), q, v)
    joined = motion.until(cut).joined(later)
    times = np.linspace(motion.start, motion.end, 300)
    for mine, theirs in zip(joined.sample(times), motion.sample(times), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-8)


@given(SEEDS)
@settings(max_examples=200, deadline=None)
def test_braking_always_ends_at_rest_inside_the_range(seed: int) -> None:
    """What a tail aims at stops every joint with at most its acceleration inside its range."""
    rng = np.random.default_rng(seed)
    position = rng.uniform(LIMITS.lower, LIMITS.upper)
    room = np.minimum(position - LIMITS.lower, LIMITS.upper - position)
    stoppable = np.minimum(LIMITS.velocity, np.sqrt(2 * LIMITS.acceleration * room))
    velocity = stoppable * rng.uniform(-1, 1, len(NAMES))
    tail = brake(7.0, position, velocity, LIMITS)
    np.testing.assert_array_equal(tail.positions[0], position)
    np.testing.assert_array_equal(tail.velocities[0], velocity)
    assert not tail.velocities[-1].any()
    assert (np.diff(tail.times) > 0).all()
    assert tail.end - tail.start <= 0.5
    extremes = tail.extremes()
    assert (extremes.acceleration <= LIMITS.acceleration * 1.0001).all()
    assert (extremes.lowest >= LIMITS.lower - 1e-6).all()
    assert (extremes.highest <= LIMITS.upper + 1e-6).all()


def test_braking_keeps_the_direction_of_motion() -> None:
    """Joints with room stop together: the path is straight in joint space."""
    velocity = np.linspace(-1, 1, len(NAMES)) * np.where(SCALE > 0.1, 1.0, 0.01)
    tail = brake(0.0, HOME, velocity, LIMITS)
    q, _, _ = tail.sample(np.linspace(0, tail.end, 50))
    share = (q - HOME)[:, 1:] / (tail.positions[-1] - HOME)[1:]
    np.testing.assert_allclose(share, np.broadcast_to(share[:, :1], share.shape), atol=1e-9)


def _chain(seed: int, origin: float = 0.0) -> list[Motion]:
    """Motions made one from the other, each at a random moment for a random wild reference."""
    rng = np.random.default_rng(seed)
    edge = rng.choice([LIMITS.lower, LIMITS.upper])
    motions = [Motion.at_rest(origin, np.where(rng.random(len(NAMES)) < 0.5, edge, HOME))]
    start = origin
    for _ in range(4):
        start = start + 0.025 * int(rng.integers(0, 40))
        anchor = motions[-1].sample(start)[0]
        targets = anchor + 10 ** rng.uniform(-2, 1) * SCALE * rng.normal(0, 1, (8, len(NAMES)))
        reference = curve_through(anchor, targets, start, 0.1)
        ahead = SHAPER.follow(motions[-1], start, reference, ALIKE)
        motions.append(motions[-1].until(start).joined(ahead))
    return motions


@given(SEEDS, st.sampled_from([0.0, 1763848000.123]))
@settings(max_examples=40, deadline=None)
def test_whatever_is_wanted_all_limits_are_kept_to_the_end_at_rest(
    seed: int, origin: float
) -> None:
    """Position, velocity, acceleration, jerk, at splices too, on clocks from 0 and from 1970."""
    for motion in _chain(seed, origin):
        assert violation(motion, LIMITS) == ""
        assert not motion.velocities[-1].any()


def test_what_the_limits_allow_is_followed() -> None:
    """Shaping costs a feasible motion little."""
    times = np.arange(9) * 0.1
    targets = HOME + 0.2 * SCALE * (1 - np.cos(2 * times[1:, None]))
    wanted = curve_through(HOME, np.broadcast_to(targets, (8, len(NAMES))), 0.0, 0.1)
    followed = SHAPER.follow(Motion.at_rest(0.0, HOME), 0.0, wanted, ALIKE)
    missed = np.abs(followed.sample(times[:7])[0] - wanted.positions[:7])
    assert (missed < 0.005 * SCALE).all()


def test_a_gripper_at_its_stop_can_be_opened_and_closed_again() -> None:
    """The very end of a range is a place to start from and to go to."""
    start = np.where(SCALE > 0.1, HOME, LIMITS.lower)
    opened = np.where(SCALE > 0.1, HOME, LIMITS.upper)
    motion = Motion.at_rest(0.0, start)
    for time, target in ((0.0, opened), (1.0, start)):
        anchor = motion.sample(time)[0]
        wanted = curve_through(anchor, np.tile(target, (8, 1)), time, 0.1)
        motion = motion.until(time).joined(SHAPER.follow(motion, time, wanted, ALIKE))
        assert violation(motion, LIMITS) == ""
        np.testing.assert_allclose(motion.sample(time + 0.8)[0], target, atol=2e-3)


def test_braking_under_the_jerk_limit_takes_little_longer() -> None:
    """From full speed a stop takes the time that the limits imply and no more than 0.2 s over."""
    velocity = np.zeros(len(NAMES))
    velocity[0] = 2.9
    positions = np.stack([HOME - 0.7 * velocity, HOME + 0.3 * velocity])
    cruise = Motion(np.array([0.0, 1.0]), positions, np.stack([velocity] * 2))
    stopped = SHAPER.follow(cruise, 1.0, brake(1.0, positions[1], velocity, LIMITS), ALIKE)
    acceleration = LIMITS.acceleration[0]
    implied = velocity[0] / (0.5 * acceleration) + acceleration / LIMITS.jerk[0]
    q, _, _ = stopped.sample(1.0 + implied + 0.1)
    np.testing.assert_allclose(q, stopped.final_position, atol=2e-3)
    assert stopped.end < 1.0 + implied + 0.2


@pytest.mark.parametrize("time", [0.0, 1e9])
def test_a_resting_motion_rests_at_all_times(time: float) -> None:
    """Engaging at a standstill is one knot."""
    q, v, a = Motion.at_rest(5.0, HOME).sample(time)
    np.testing.assert_array_equal(q, HOME)
    assert not v.any()
    assert not a.any()

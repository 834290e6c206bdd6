"""Motion, braking and tracking: exact extremes, always to rest, always inside the limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import HOME, LIMITS, NAMES, SCALE

from dva_ros.leapfrog.braking import brake
from dva_ros.leapfrog.curve import curve_through, inside_positions
from dva_ros.leapfrog.motion import Motion
from dva_ros.leapfrog.splice import violation
from dva_ros.leapfrog.tracking import track

SEEDS = st.integers(0, 2**31)


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
def test_braking_always_ends_at_rest_inside_the_limits(seed: int) -> None:
    """The tail stops every joint with at most its acceleration, never beyond its range."""
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
    assert violation(tail, LIMITS) == ""


def test_braking_keeps_the_direction_of_motion() -> None:
    """Joints with room stop together: the path is straight in joint space."""
    velocity = np.linspace(-1, 1, len(NAMES)) * np.where(SCALE > 0.1, 1.0, 0.01)
    tail = brake(0.0, HOME, velocity, LIMITS)
    q, _, _ = tail.sample(np.linspace(0, tail.end, 50))
    share = (q - HOME)[:, 1:] / (tail.positions[-1] - HOME)[1:]
    np.testing.assert_allclose(share, np.broadcast_to(share[:, :1], share.shape), atol=1e-9)


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_tracking_keeps_all_limits_whatever_is_asked(seed: int) -> None:
    """However wild the targets, what is followed stays inside the limits and can still stop."""
    rng = np.random.default_rng(seed)
    size = 10 ** rng.uniform(-2, 1)
    targets = HOME + size * SCALE * rng.normal(0, 1, (8, len(NAMES)))
    wanted = inside_positions(curve_through(HOME, targets, 1.0, 0.1), LIMITS)
    wanted = Motion(
        wanted.times,
        wanted.positions,
        np.where(np.arange(9)[:, None] == 0, 0.0, wanted.velocities),
    )
    followed = track(wanted, LIMITS)
    tail = brake(followed.end, followed.positions[-1], followed.velocities[-1], LIMITS)
    assert violation(followed.joined(tail), LIMITS) == ""


def test_tracking_follows_what_is_feasible() -> None:
    """A motion within the limits is followed closely, so smoothing costs little."""
    times = np.arange(9) * 0.1
    targets = HOME + 0.2 * SCALE * (1 - np.cos(2 * times[1:, None]))
    wanted = curve_through(HOME, np.broadcast_to(targets, (8, len(NAMES))), 0.0, 0.1)
    missed = np.abs(track(wanted, LIMITS).sample(times)[0] - wanted.positions)
    assert (missed < 0.005 * SCALE).all()


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_a_curve_through_targets_at_the_ends_of_the_range_stays_inside(seed: int) -> None:
    """A gripper that closes fully does not overshoot its stop between two targets."""
    rng = np.random.default_rng(seed)
    targets = np.where(
        rng.random((8, len(NAMES))) < 0.5, LIMITS.lower, rng.uniform(LIMITS.lower, LIMITS.upper)
    )
    curve = inside_positions(curve_through(HOME, targets, 0.0, 0.1), LIMITS)
    later = Motion(curve.times[1:], curve.positions[1:], curve.velocities[1:])
    extremes = later.extremes()
    assert (extremes.lowest >= LIMITS.lower - 1e-9).all()
    assert (extremes.highest <= LIMITS.upper + 1e-9).all()


@pytest.mark.parametrize("time", [0.0, 1e9])
def test_a_resting_motion_rests_at_all_times(time: float) -> None:
    """Engaging at a standstill is one knot."""
    q, v, a = Motion.at_rest(5.0, HOME).sample(time)
    np.testing.assert_array_equal(q, HOME)
    assert not v.any()
    assert not a.any()

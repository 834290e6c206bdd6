"""How fast imagined motion is played at a latency."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dva_ros.cell.timing import CONTROL_PERIOD_S
from dva_ros.errors import UserError
from dva_ros.evaluation.arguments import read_speed
from dva_ros.evaluation.schedulers.timing import timing_for
from dva_ros.evaluation.speed import RELIABLE_FRAMES, in_whole_ticks, speed_for_latency
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.spec import EMBEDDED_CELL


@given(st.floats(0.0, 2.0))
def test_the_speed_for_a_latency_is_the_greatest_whose_frames_cover_it(latency_s: float) -> None:
    """At most two committed frames, whole control periods; a period less would not cover it."""
    speed = speed_for_latency(latency_s)
    base = LeapfrogParameters().slowed(speed)
    assert timing_for(base, latency_s).inference_delay_frames <= RELIABLE_FRAMES
    ticks = base.frame_period_s / CONTROL_PERIOD_S
    assert ticks == pytest.approx(round(ticks))
    if speed < 1.0:
        faster = base.frame_period_s - CONTROL_PERIOD_S
        assert RELIABLE_FRAMES * faster < latency_s


@pytest.mark.parametrize(
    ("latency_s", "speed"), [(0.0, 1.0), (0.2, 1.0), (0.4, 0.5), (0.6, 1 / 3), (0.8, 0.25)]
)
def test_speeds_of_the_documentation(latency_s: float, speed: float) -> None:
    assert speed_for_latency(latency_s) == pytest.approx(speed)


def test_what_is_the_cells_changes_with_speed_and_what_is_the_joints_does_not() -> None:
    """The grid and what may be stale on it; lead, blending and smoothing stay."""
    base, half = LeapfrogParameters(), LeapfrogParameters().slowed(0.5)
    assert half.frame_period_s == 2 * base.frame_period_s
    assert half.stale_timeout_s == pytest.approx(base.stale_timeout_s + 0.1)
    for name in ("lead_s", "blend_s", "smoothing_s", "request_timeout_s", "horizon"):
        assert getattr(half, name) == getattr(base, name)
    assert EMBEDDED_CELL.slowed(0.5).frame_period_s == 0.2
    assert EMBEDDED_CELL.slowed(1.0) == EMBEDDED_CELL


@pytest.mark.parametrize("speed", [0.0, -0.5, 1.5, float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="time_scaling"):
        EMBEDDED_CELL.slowed(speed)


def test_a_speed_between_control_periods_becomes_the_nearest_on_one() -> None:
    """0.7 would be frames of 0.143 s: 0.14 s it is."""
    assert in_whole_ticks(0.7) == pytest.approx(0.1 / 0.14)


def test_the_option_takes_a_share_or_auto() -> None:
    assert read_speed("auto") is None
    assert read_speed("0.5") == 0.5
    for text in ("half", "0", "nan", "1.01"):
        with pytest.raises(UserError, match=text):
            read_speed(text)

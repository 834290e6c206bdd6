"""What becomes of every kind of stamp that a source can send."""

from __future__ import annotations

import pytest

from dva_ros.context.grid import TimeGrid
from dva_ros.context.ring import Arrival, StampedRing


def ring_of(*stamps: float, capacity: int = 8) -> StampedRing[float]:
    ring: StampedRing[float] = StampedRing(capacity, future_tolerance_s=0.02, max_age_s=1.0)
    for stamp in stamps:
        ring.insert(stamp, stamp, now=stamp)
    return ring


def test_nearest_is_by_stamp_not_by_arrival() -> None:
    ring = ring_of(1.0, 1.2)
    assert ring.insert(1.1, 1.1, now=1.2) is Arrival.OUT_OF_ORDER
    nearest = ring.nearest(1.12)
    assert nearest is not None
    assert nearest.stamp == 1.1


def test_a_repeated_stamp_is_dropped_and_counted() -> None:
    ring = ring_of(1.0, 1.1)
    assert ring.insert(1.1, 9.9, now=1.15) is Arrival.DUPLICATE
    assert ring.counts[Arrival.DUPLICATE] == 1
    newest = ring.newest
    assert newest is not None
    assert newest.value == 1.1


def test_a_stamp_in_the_future_is_refused() -> None:
    ring = ring_of(1.0)
    assert ring.insert(1.2, 1.2, now=1.1) is Arrival.FUTURE
    assert len(ring) == 1


def test_a_sample_older_than_max_age_or_than_the_full_memory_is_late() -> None:
    ring = ring_of(5.0, 5.1, 5.2, capacity=3)
    assert ring.insert(3.9, 3.9, now=5.2) is Arrival.LATE
    assert ring.insert(4.9, 4.9, now=5.2) is Arrival.LATE
    assert len(ring) == 3


def test_the_memory_stays_bounded() -> None:
    ring = ring_of(*(0.1 * i for i in range(100)), capacity=8)
    assert len(ring) == 8


@pytest.mark.parametrize(
    ("time", "settled"),
    [
        (1.1, True),  # the sample itself
        (1.104, True),  # within the slack
        (1.13, True),  # the next one, about 1.2, will lie farther away
        (1.17, False),  # the next one will be nearer
        (1.0, True),  # a later sample is already here
    ],
)
def test_a_frame_waits_only_while_a_nearer_sample_can_come(time: float, settled: bool) -> None:
    assert ring_of(0.9, 1.0, 1.1).settled(time, slack_s=0.006) is settled


def test_grid_times_and_indices_agree_at_epoch_size() -> None:
    grid = TimeGrid(origin=1.79e9 + 0.123, period=0.1)
    for index in (0, 1, 7, 12345):
        assert grid.first_after(grid.time(index)) == index + 1

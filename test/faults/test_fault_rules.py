"""What the fault suite does to messages is what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from sensor_msgs.msg import Image  # noqa: E402

from dva_msgs.msg import ActionChunk  # noqa: E402
from dva_ros.errors import UserError  # noqa: E402
from dva_ros.faults.client import rules  # noqa: E402
from dva_ros.faults.client.catalogue import catalogue  # noqa: E402
from dva_ros.faults.client.relay import CHANNELS, remaps  # noqa: E402
from dva_ros.faults.client.suite import choose  # noqa: E402
from dva_ros.ros.conversions import image_from_msg, image_to_msg, seconds_of  # noqa: E402


def image(value: int, stamp: float) -> Image:
    return image_to_msg(np.full((4, 6, 3), value, np.uint8), stamp, "camera")


def stamps(deliveries: list[tuple[float, Any]]) -> list[tuple[float, float]]:
    return [
        (delay, pytest.approx(seconds_of(message.header.stamp))) for delay, message in deliveries
    ]


def test_a_frozen_picture_has_new_stamps() -> None:
    rule = rules.FrozenPicture()
    rule.deliveries(image(1, 10.0))
    ((_, second),) = rule.deliveries(image(2, 10.1))
    assert seconds_of(second.header.stamp) == pytest.approx(10.1)
    assert (image_from_msg(second) == 1).all()


def test_a_doubled_rate_fills_the_gap_with_a_stamp_of_its_own() -> None:
    sent = rules.DoubledRate(0.1).deliveries(image(1, 10.0))
    assert stamps(sent) == [(0.0, 10.0), (0.05, 10.05)]


def test_order_is_swapped_and_the_last_one_is_not_lost() -> None:
    rule = rules.OutOfOrder()
    assert rule.deliveries(image(1, 1.0)) == []
    assert stamps(rule.deliveries(image(2, 2.0))) == [(0.0, 2.0), (0.0, 1.0)]
    assert rule.held_back() == []
    rule.deliveries(image(3, 3.0))
    assert [seconds_of(m.header.stamp) for m in rule.held_back()] == [3.0]


def test_a_stall_delivers_everything_at_its_end() -> None:
    rule = rules.Stalled()
    assert rule.deliveries(image(1, 1.0)) == rule.deliveries(image(2, 2.0)) == []
    assert [seconds_of(m.header.stamp) for m in rule.held_back()] == [1.0, 2.0]


def test_a_change_leaves_the_original_as_it_was() -> None:
    original = image(1, 1.0)
    ((_, halved),) = rules.Changed(rules.halved).deliveries(original)
    assert (halved.height, halved.width) == (2, 3)
    ((_, later),) = rules.Changed(lambda m: rules.restamped(m, 1.0)).deliveries(original)
    assert seconds_of(later.header.stamp) == pytest.approx(2.0)
    assert (original.height, seconds_of(original.header.stamp)) == (4, 1.0)


def test_targets_are_spoilt_in_every_frame_of_a_chunk() -> None:
    chunk = ActionChunk(num_frames=2, positions=np.arange(8.0).tolist())
    ((_, spoilt),) = rules.Changed(rules.with_target(np.nan)).deliveries(chunk)
    assert np.isnan(np.array(spoilt.positions).reshape(2, 4)[:, 2]).all()
    assert np.isfinite(chunk.positions).all()


def test_every_topic_between_nodes_passes_the_relay() -> None:
    redirected = remaps()
    for channel in CHANNELS:
        assert redirected[channel.sender][channel.topic] == channel.source != channel.topic


def test_names_of_faults_are_unique_and_a_wrong_one_is_refused() -> None:
    names = [fault.name for fault in catalogue()]
    assert len(names) == len(set(names))
    assert [f.name for f in choose(catalogue(), ["stall", "kill_camera_context"])] == [
        "kill_camera_context",
        "stall",
    ]
    with pytest.raises(UserError, match=r"no fault 'kil'; there are: .*stall"):
        choose(catalogue(), ["kil"])

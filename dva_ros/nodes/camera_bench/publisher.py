"""``python -m dva_ros.nodes.camera_bench.publisher SECONDS``: three cameras, joint states.

The cameras follow each other at a third of their period. A joint state goes with every image
(90 a second). Images are serialized once; only the stamp is written anew, when an image is
published.
"""

from __future__ import annotations

import struct
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState

from .. import qos
from ..conversions import image_to_msg, joint_state_to_msg
from ..process import die_with_parent
from .load import CAMERAS, HEIGHT, JOINTS, NOISE_IMAGES, RATE_HZ, WIDTH, Published
from .process import tell

MATCH_TIMEOUT_S = 20.0
MATCHED_S = 1.0
"""A reader hears of its writer later than the writer of it; what is sent between is lost."""

STAMP_AT = 4
"""Byte of the stamp in a serialized message whose first field is the header."""


def publish(node: Node, seconds: float) -> Published:
    """Wait for the node under test, then publish for so long."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (NOISE_IMAGES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    images = [bytearray(serialize_message(image_to_msg(i, 0.0, "bench"))) for i in noise]
    cameras = [node.create_publisher(Image, f"{c}/image_raw", qos.IMAGE_OUT) for c in CAMERAS]
    joints = node.create_publisher(JointState, "joint_states", qos.reliable(10))
    _wait_for_readers([*cameras, joints])
    tell("publishing")
    still = np.zeros(len(JOINTS))
    period = 1.0 / RATE_HZ / len(cameras)
    count, late = round(seconds * RATE_HZ) * len(cameras), 0.0
    begun = time.monotonic()
    for n in range(count):
        ahead = begun + n * period - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        late = max(late, -ahead)
        joints.publish(joint_state_to_msg(JOINTS, still, still, time.time()))
        image = images[n // len(cameras) % len(images)]
        struct.pack_into("<iI", image, STAMP_AT, *divmod(time.time_ns(), 10**9))
        cameras[n % len(cameras)].publish(bytes(image))
    return Published(count // len(cameras), time.time(), late)


def _wait_for_readers(publishers: list[Any]) -> None:
    end = time.monotonic() + MATCH_TIMEOUT_S
    while not all(publisher.get_subscription_count() for publisher in publishers):
        if time.monotonic() > end:
            sys.exit("nobody listens to the cameras")
        time.sleep(0.05)
    time.sleep(MATCHED_S)


def main() -> int:
    """Publish, tell what was sent, stay until interrupted or orphaned."""
    die_with_parent()
    rclpy.init()
    node = rclpy.create_node("camera_bench_publisher")
    with suppress(KeyboardInterrupt):
        tell(asdict(publish(node, float(sys.argv[1]))))
        sys.stdin.read()  # what is on its way must still arrive
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``python -m dva_ros.benchmark.client.cameras.publisher SECONDS ENCODING``: the cameras.

The cameras follow each other at a third of their period. A joint state and a camera_info of a
distorting lens go with every image (90 a second). Images are serialized once; only the stamp is
written anew, when an image is published.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from ....ros import qos
from ....ros.conversions import camera_info, joint_state_to_msg
from ....ros.process import die_with_parent
from ...cameras.load import (
    BYTES_A_PIXEL,
    CAMERAS,
    HEIGHT,
    JOINTS,
    JPEG,
    NOISE_IMAGES,
    RATE_HZ,
    WIDTH,
    Published,
)
from .process import tell

MATCH_TIMEOUT_S = 20.0
FIELD_OF_VIEW_RAD = 1.0
DISTORTION = (-0.2, 0.05, 0.001, -0.001, 0.0)
LENS_S = 0.3
MATCHED_S = 1.0
"""A reader hears of its writer later than the writer of it; what is sent between is lost."""

STAMP_AT = 4
"""Byte of the stamp in a serialized message whose first field is the header."""


def publish(node: Node, seconds: float, encoding: str) -> Published:
    """Wait for the node under test, then publish for so long."""
    images = [bytearray(serialize_message(message)) for message in _messages(encoding)]
    kind, topic = (
        (CompressedImage, "image_raw/compressed") if encoding == JPEG else (Image, "image_raw")
    )
    cameras = [node.create_publisher(kind, f"{c}/{topic}", qos.IMAGE_OUT) for c in CAMERAS]
    infos = [node.create_publisher(CameraInfo, f"{c}/camera_info", qos.IMAGE_OUT) for c in CAMERAS]
    lens = camera_info(HEIGHT, WIDTH, FIELD_OF_VIEW_RAD, 0.0, "bench")
    lens.d = list(DISTORTION)
    joints = node.create_publisher(JointState, "joint_states", qos.reliable(10))
    _wait_for_readers([*cameras, joints])
    for info in infos:  # without it the first image is refused where it is to be rectified
        info.publish(lens)
    time.sleep(LENS_S)
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
        infos[n % len(cameras)].publish(lens)
        joints.publish(joint_state_to_msg(JOINTS, still, still, time.time()))
        image = images[n // len(cameras) % len(images)]
        struct.pack_into("<iI", image, STAMP_AT, *divmod(time.time_ns(), 10**9))
        cameras[n % len(cameras)].publish(bytes(image))
    return Published(count // len(cameras), time.time(), late)


def _messages(encoding: str) -> Iterator[Image | CompressedImage]:
    rng = np.random.default_rng(0)
    for _ in range(NOISE_IMAGES):
        if encoding == JPEG:
            # Smooth, so that a file has the size of a photograph's.
            noise = rng.integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8)
            image = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
            compressed = CompressedImage(format="rgb8; jpeg compressed bgr8")
            compressed.data.frombytes(cv2.imencode(".jpg", image)[1].tobytes())
            yield compressed
        else:
            step = WIDTH * BYTES_A_PIXEL[encoding]
            raw = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=step)
            raw.data.frombytes(rng.integers(0, 256, HEIGHT * step, dtype=np.uint8).tobytes())
            yield raw


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
        tell(asdict(publish(node, float(sys.argv[1]), sys.argv[2])))
        sys.stdin.read()  # what is on its way must still arrive
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())

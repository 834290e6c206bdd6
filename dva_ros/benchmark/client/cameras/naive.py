"""``python -m dva_ros.benchmark.client.cameras.naive``: what a node does that thinks of nothing.

It takes every image as ``cv_bridge`` gives it (a copy), resizes it and appends it. It aligns,
checks and publishes nothing.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import suppress

import cv2
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image, JointState

from ....ros import qos
from ....ros.conversions import seconds_of
from ....ros.process import die_with_parent
from ...cameras.load import CAMERAS, MOSAIC_HEIGHT, MOSAIC_WIDTH
from .process import tell

KEPT = 512


def main() -> int:
    """Run until SIGINT; tell the delay of every image, s."""
    die_with_parent()
    rclpy.init()
    node = rclpy.create_node("camera_bench_naive")
    frames: deque[np.ndarray] = deque(maxlen=KEPT)
    delays: list[float] = []

    def take(message: Image) -> None:
        flat = np.frombuffer(message.data, np.uint8)
        image = flat.reshape(message.height, message.width, 3).copy()
        size = (MOSAIC_WIDTH, MOSAIC_HEIGHT)
        frames.append(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        delays.append(time.time() - seconds_of(message.header.stamp))

    for camera in CAMERAS:
        node.create_subscription(Image, f"{camera}/image_raw", take, qos.IMAGE_IN)
    node.create_subscription(JointState, "joint_states", lambda _: None, qos.SENSOR)
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    tell(delays)
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())

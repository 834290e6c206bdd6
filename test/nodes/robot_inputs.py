"""What a cell's cameras and encoders publish, with faults on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from dva_ros.context.camera_input import CameraTopic
from dva_ros.ros import qos
from dva_ros.ros.conversions import (
    camera_info,
    header,
    image_to_msg,
    joint_state_to_msg,
    seconds_of,
)
from dva_ros.spec import EMBEDDED_CELL


class RobotInputs:
    """Publishes noise at 10 Hz as images, and constant joints at 50 Hz.

    Args:
        node: that publishes.
        topics: camera -> where its images come, as JPEG where they are compressed.
        lenses: camera -> distortion (plumb_bob) of the camera_info that comes beside its images.

    Attributes:
        without: cameras, or "joint_states", that are silent.
        encoding: camera -> encoding that its messages claim.
        shape: camera -> (rows, columns) of its images.
        position: float64 [joints].
    """

    def __init__(
        self,
        node: Node,
        topics: Mapping[str, CameraTopic] | None = None,
        lenses: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        self._node = node
        self._rng = np.random.default_rng(0)
        self._lenses = lenses or {}
        # Images come only when every reader has the calibrations.
        self._tick = -10 if self._lenses else 0
        self.without: set[str] = set()
        self.encoding: dict[str, str] = {}
        self.shape = {"overhead": (96, 128), "front": (64, 128)}
        self.position = np.zeros(EMBEDDED_CELL.num_joints)
        self._topics = topics or {name: CameraTopic(f"{name}/image_raw") for name in self.shape}
        self._images = {
            name: node.create_publisher(
                CompressedImage if topic.compressed else Image, topic.images, qos.IMAGE_OUT
            )
            for name, topic in self._topics.items()
        }
        self._infos = {
            name: node.create_publisher(CameraInfo, self._topics[name].info, qos.IMAGE_OUT)
            for name in self._lenses
        }
        self._joints = node.create_publisher(JointState, "joint_states", qos.reliable(10))

    def start(self) -> None:
        """Publish while the node is spun."""
        self._node.create_timer(0.02, self._publish)

    def _publish(self) -> None:
        now = seconds_of(self._node.get_clock().now())
        if "joint_states" not in self.without:
            names = EMBEDDED_CELL.joint_names
            self._joints.publish(
                joint_state_to_msg(names, self.position, np.zeros(len(names)), now)
            )
        if self._tick % 5 == 0:
            for name, publisher in self._infos.items():
                publisher.publish(self._info(name, now))
            for name, publisher in self._images.items():
                if self._tick >= 0 and name not in self.without:
                    publisher.publish(self._image(name, now))
        self._tick += 1

    def _info(self, name: str, now: float) -> CameraInfo:
        info = camera_info(*self.shape[name], 1.0, now, f"{name}_optical_frame")
        info.d = list(self._lenses[name])
        return info

    def _image(self, name: str, now: float) -> Image | CompressedImage:
        pixels = self._rng.integers(0, 256, (*self.shape[name], 3), dtype=np.uint8)
        if self._topics[name].compressed:
            jpeg = CompressedImage(header=header(now), format="rgb8; jpeg compressed bgr8")
            jpeg.data.frombytes(cv2.imencode(".jpg", pixels)[1].tobytes())
            return jpeg
        message = image_to_msg(pixels, now, f"{name}_optical_frame")
        message.encoding = self.encoding.get(name, message.encoding)
        return message

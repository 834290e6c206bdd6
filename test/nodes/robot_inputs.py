"""What a cell's cameras and encoders publish, with faults on demand."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Image, JointState

from dva_ros.nodes import qos
from dva_ros.nodes.conversions import image_to_msg, joint_state_to_msg, seconds_of
from dva_ros.spec import EMBEDDED_CELL


class RobotInputs:
    """Publishes noise at 10 Hz as images, and constant joints at 50 Hz.

    Attributes:
        without: cameras, or "joint_states", that are silent.
        encoding: camera -> encoding that its messages claim.
        shape: camera -> (rows, columns) of its images.
        position: float64 [joints].
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rng = np.random.default_rng(0)
        self._tick = 0
        self.without: set[str] = set()
        self.encoding: dict[str, str] = {}
        self.shape = {"overhead": (96, 128), "front": (64, 128)}
        self.position = np.zeros(EMBEDDED_CELL.num_joints)
        self._images = {
            name: node.create_publisher(Image, f"{name}/image_raw", qos.IMAGE_OUT)
            for name in self.shape
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
            for name, publisher in self._images.items():
                if name not in self.without:
                    publisher.publish(self._image(name, now))
        self._tick += 1

    def _image(self, name: str, now: float) -> Image:
        pixels = self._rng.integers(0, 256, (*self.shape[name], 3), dtype=np.uint8)
        message = image_to_msg(pixels, now, f"{name}_optical_frame")
        message.encoding = self.encoding.get(name, message.encoding)
        return message

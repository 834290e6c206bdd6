"""Trajectories as messages on the controllers' ``joint_trajectory`` topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rclpy.duration import Duration
from trajectory_msgs.msg import JointTrajectory

from . import qos
from .managed_node import ManagedNode


class TrajectoryTopics:
    """One publisher for each controller; they live until teardown.

    Args:
        node: that sends.
        names: of the controllers.
    """

    def __init__(self, node: ManagedNode, names: Sequence[str]) -> None:
        self._publishers = {
            name: node.advertise(JointTrajectory, f"{name}/joint_trajectory", qos.COMMAND)
            for name in names
        }

    def unready(self) -> str:
        """Why nothing can be sent; empty if it can. Whether a controller listens is seen from
        its state."""
        return ""

    def send(self, messages: Mapping[str, JointTrajectory]) -> None:
        """Send every controller its part, with nothing in between."""
        for name, message in messages.items():
            self._publishers[name].publish(message)

    def wait_until_sent(self, timeout_s: float) -> None:
        """Wait until every controller has what was sent to it."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=timeout_s))

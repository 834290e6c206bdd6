"""The topics of the controllers: trajectories out, states in."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rclpy.duration import Duration
from trajectory_msgs.msg import JointTrajectory

from ..errors import UserError
from ..trajectory import Trajectory
from . import qos
from .conversions import trajectory_to_msg
from .managed_node import ManagedNode


class ControllerLinks:
    """One publisher and one subscription for each controller; they live until teardown.

    Args:
        node: that sends.
        names: of the controllers.
        state_type: "package/Type" of their states.
        on_state: hears a controller's name and its state.

    Raises:
        UserError: the package of the states is not installed.
    """

    def __init__(
        self,
        node: ManagedNode,
        names: Sequence[str],
        state_type: str,
        on_state: Callable[[str, Any], None],
    ) -> None:
        self._node = node
        kind = _message_type(state_type)
        self._publishers = {
            name: node.advertise(JointTrajectory, f"{name}/joint_trajectory", qos.COMMAND)
            for name in names
        }
        for name in names:
            heard = partial(on_state, name)
            node.subscribe(kind, f"{name}/controller_state", heard, qos.SENSOR)

    def send(self, trajectories: dict[str, Trajectory]) -> None:
        """Send every controller its part, with nothing in between."""
        messages = {name: trajectory_to_msg(part) for name, part in trajectories.items()}
        for name, message in messages.items():
            self._publishers[name].publish(message)

    def wait_until_sent(self, timeout_s: float) -> None:
        """Wait until every controller has what was sent to it."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=timeout_s))

    def other_senders(self) -> list[tuple[str, str]]:
        """Other nodes that send to the controllers, and the topic of each."""
        mine = (self._node.get_name(), self._node.get_namespace())
        found = set()
        for publisher in self._publishers.values():
            topic = publisher.topic_name
            for info in self._node.get_publishers_info_by_topic(topic):
                if (info.node_name, info.node_namespace) != mine:
                    found.add((f"{info.node_namespace.rstrip('/')}/{info.node_name}", topic))
        return sorted(found)


def _message_type(name: str) -> type[Any]:
    package, kind = name.split("/")
    try:
        found: type[Any] = getattr(importlib.import_module(f"{package}.msg"), kind)
    except ImportError as error:
        raise UserError(
            f"controller_state_type is {name}, but {package} is not installed: "
            f"sudo apt-get install ros-$ROS_DISTRO-{package.replace('_', '-')}"
        ) from error
    return found

"""What connects the scheduler with the controllers: trajectories out, states in."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ..errors import UserError
from ..trajectory import Trajectory
from . import qos
from .conversions import trajectory_to_msg
from .managed_node import ManagedNode
from .trajectory_goals import TrajectoryGoals
from .trajectory_topics import TrajectoryTopics


class ControllerLinks:
    """A way to each controller, and its state; they live until teardown.

    Args:
        node: that sends.
        names: of the controllers.
        sender: the ways to them.
        state_type: "package/Type" of their states.
        on_state: hears a controller's name and its state.

    Raises:
        UserError: the package of the states is not installed.
    """

    def __init__(
        self,
        node: ManagedNode,
        names: Sequence[str],
        sender: TrajectoryTopics | TrajectoryGoals,
        state_type: str,
        on_state: Callable[[str, Any], None],
    ) -> None:
        self._node = node
        self._names = tuple(names)
        self._sender = sender
        kind = message_type(state_type)
        for name in names:
            heard = partial(on_state, name)
            node.subscribe(kind, f"{name}/controller_state", heard, qos.SENSOR)

    def unready(self) -> str:
        """Why nothing can be sent to a controller; empty if it can."""
        return self._sender.unready()

    def send(self, trajectories: Mapping[str, Trajectory]) -> None:
        """Send every controller its part, with nothing in between."""
        self._sender.send({name: trajectory_to_msg(part) for name, part in trajectories.items()})

    def wait_until_sent(self, timeout_s: float) -> None:
        """Wait until every controller has what was sent to it."""
        self._sender.wait_until_sent(timeout_s)

    def other_senders(self) -> list[tuple[str, str]]:
        """Other nodes that send to the controllers' topics, and the topic of each."""
        mine = (self._node.get_name(), self._node.get_namespace())
        found = set()
        for name in self._names:
            topic = self._node.resolve_topic_name(f"{name}/joint_trajectory")
            for info in self._node.get_publishers_info_by_topic(topic):
                if (info.node_name, info.node_namespace) != mine:
                    found.add((f"{info.node_namespace.rstrip('/')}/{info.node_name}", topic))
        return sorted(found)


def message_type(name: str) -> type[Any]:
    """The class of a message type, "package/Type".

    Raises:
        UserError: it has another form, or is not installed.
    """
    package, _, kind = name.partition("/")
    try:
        found: type[Any] = getattr(importlib.import_module(f"{package}.msg"), kind)
    except (ValueError, AttributeError) as error:
        raise UserError(f"'{name}' is no message type like std_msgs/String") from error
    except ImportError as error:
        raise UserError(
            f"messages of type {name} are asked for, but {package} is not installed: "
            f"sudo apt-get install ros-$ROS_DISTRO-{package.replace('_', '-')}"
        ) from error
    return found

"""A node that looks at a running graph, for `new-cell` and `doctor`."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, QoSReliabilityPolicy

from ...bringup.graph_client import ros_context

EVERYTHING = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.BEST_EFFORT)
"""Best effort matches every publisher; the depth keeps what arrives while others are served."""


class Observer:
    """A node, spun by its owner.

    Attributes:
        node: without parameter services and without an output on /rosout.
    """

    def __init__(self, node: Node, executor: SingleThreadedExecutor) -> None:
        self.node = node
        self._executor = executor

    def spin(self, duration_s: float) -> float:
        """Serve subscriptions for `duration_s` seconds; returns the seconds that it took."""
        start = time.monotonic()
        while (elapsed := time.monotonic() - start) < duration_s:
            self._executor.spin_once(timeout_sec=duration_s - elapsed)
        return elapsed

    def spin_until(self, reached: Callable[[], bool], timeout_s: float) -> None:
        """Serve subscriptions and services until a condition holds, or the time is over."""
        end = time.monotonic() + timeout_s
        while not reached() and time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.05)

    def topics(self) -> dict[str, str]:
        """Every topic -> its type, as in ``sensor_msgs/msg/Image``."""
        return {name: types[0] for name, types in self.node.get_topic_names_and_types()}

    def other_nodes(self) -> list[str]:
        """The full names of all nodes but this one, sorted."""
        return sorted(
            f"{namespace.rstrip('/')}/{name}"
            for name, namespace in self.node.get_node_names_and_namespaces()
            if name != self.node.get_name()
        )


@contextmanager
def observer(name: str, use_sim_time: bool = False) -> Iterator[Observer]:
    """An observer with its own ROS context.

    Args:
        name: of its node.
        use_sim_time: its clock is /clock.
    """
    with ros_context() as context:
        node = rclpy.create_node(
            name,
            context=context,
            enable_rosout=False,
            start_parameter_services=False,
            parameter_overrides=[Parameter("use_sim_time", value=use_sim_time)],
        )
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            yield Observer(node, executor)
        finally:
            executor.shutdown()
            node.destroy_node()


def message_class(kind: str) -> type[Any] | None:
    """The class of a message type such as ``std_msgs/msg/String``; None if not installed."""
    module, _, name = kind.rpartition("/")
    try:
        found: type[Any] = getattr(importlib.import_module(module.replace("/", ".")), name)
    except (ImportError, AttributeError):
        return None
    return found

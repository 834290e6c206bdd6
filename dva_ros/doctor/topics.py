"""What the running ROS graph says: topics, who is on them, and how often they are heard."""

from __future__ import annotations

import importlib
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

DISCOVERY_S, MATCHING_S = 2.0, 0.5
QUEUE = 100
IGNORED_TOPICS = frozenset({"/rosout", "/parameter_events"})


@dataclass(frozen=True)
class Topic:
    """One topic of the running graph.

    Attributes:
        name: with its leading slash.
        kind: message type, e.g. ``sensor_msgs/msg/Image``.
        publishers: how many.
        subscribers: how many, this one not counted.
        rate_hz: messages a second while it was measured; None where its type is not installed.
    """

    name: str
    kind: str
    publishers: int
    subscribers: int
    rate_hz: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Graph:
    """Names of the nodes that run, and their topics in alphabetical order."""

    nodes: tuple[str, ...]
    topics: tuple[Topic, ...]


def observe_graph(measure_s: float) -> Graph:
    """Look for nodes and topics, then count messages for `measure_s` seconds.

    Raises:
        ImportError: rclpy is not installed.
        Exception: of rclpy, where the middleware does not start.
    """
    import rclpy
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor

    context = Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node(
            "dva_ros_doctor", context=context, enable_rosout=False, start_parameter_services=False
        )
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            _spin(executor, DISCOVERY_S)
            return _measure(node, executor, measure_s)
        finally:
            executor.shutdown()
            node.destroy_node()
    finally:
        rclpy.shutdown(context=context)


def _measure(node: Any, executor: Any, measure_s: float) -> Graph:
    kinds = {
        name: types[0]
        for name, types in node.get_topic_names_and_types()
        if name not in IGNORED_TOPICS
    }
    subscribers = {name: node.count_subscribers(name) for name in kinds}
    heard: Counter[str] = Counter()
    counted = {name for name, kind in kinds.items() if _count(node, name, kind, heard)}
    _spin(executor, MATCHING_S)  # the subscriptions are matched
    heard.clear()
    elapsed = _spin(executor, measure_s)
    topics = tuple(
        Topic(
            name=name,
            kind=kinds[name],
            publishers=node.count_publishers(name),
            subscribers=subscribers[name],
            rate_hz=heard[name] / elapsed if name in counted else None,
        )
        for name in sorted(kinds)
    )
    own = node.get_name()
    names = {
        f"{namespace.rstrip('/')}/{name}"
        for name, namespace in node.get_node_names_and_namespaces()
        if name != own
    }
    return Graph(tuple(sorted(names)), topics)


def _count(node: Any, topic: str, kind: str, heard: Counter[str]) -> bool:
    """Count the messages of `topic` without unpacking them; False where `kind` is unknown."""
    from rclpy.qos import QoSProfile, QoSReliabilityPolicy

    package, _, rest = kind.partition("/")
    module, _, name = rest.partition("/")
    try:
        message = getattr(importlib.import_module(f"{package}.{module}"), name)
    except (ImportError, AttributeError):
        return False

    def count(_: bytes) -> None:
        heard[topic] += 1

    # Best effort matches every publisher; the depth keeps what arrives while others are counted.
    qos = QoSProfile(depth=QUEUE, reliability=QoSReliabilityPolicy.BEST_EFFORT)
    node.create_subscription(message, topic, count, qos, raw=True)
    return True


def _spin(executor: Any, duration_s: float) -> float:
    """Serve subscriptions for `duration_s` seconds; returns the seconds that it took."""
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < duration_s:
        executor.spin_once(timeout_sec=duration_s - elapsed)
    return elapsed

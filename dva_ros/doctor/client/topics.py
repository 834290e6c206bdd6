"""Counts the messages of all topics of the running graph."""

from __future__ import annotations

from collections import Counter

from ...new_cell.client.observer import EVERYTHING, Observer, message_class, observer
from ..topics import Graph, Topic

DISCOVERY_S, MATCHING_S = 2.0, 0.5
IGNORED_TOPICS = frozenset({"/rosout", "/parameter_events"})


def observe_graph(measure_s: float) -> Graph:
    """Look for nodes and topics, then count messages for `measure_s` seconds.

    Raises:
        Exception: of rclpy, where the middleware does not start.
    """
    with observer("dva_ros_doctor") as watching:
        watching.spin(DISCOVERY_S)
        node = watching.node
        kinds = {n: kind for n, kind in watching.topics().items() if n not in IGNORED_TOPICS}
        subscribers = {name: node.count_subscribers(name) for name in kinds}
        heard: Counter[str] = Counter()
        counted = {name for name, kind in kinds.items() if _count(watching, name, kind, heard)}
        watching.spin(MATCHING_S)  # the subscriptions are matched
        heard.clear()
        elapsed = watching.spin(measure_s)
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
        return Graph(tuple(watching.other_nodes()), topics)


def _count(watching: Observer, topic: str, kind: str, heard: Counter[str]) -> bool:
    """Count the messages of `topic` without unpacking them; False where `kind` is unknown."""
    message = message_class(kind)
    if message is None:
        return False

    def count(_: bytes) -> None:
        heard[topic] += 1

    watching.node.create_subscription(message, topic, count, EVERYTHING, raw=True)
    return True

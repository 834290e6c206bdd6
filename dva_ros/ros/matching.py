"""Says why a publisher and a subscription of one topic do not hear each other.

rclpy's own handlers would say it, too, with a second one for each against other message types.
Every handler is looked at in every turn of the executor, between any two callbacks: without the
second ones a turn of the scheduler's takes a quarter less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind


def publisher_events(node: Node, topic: str) -> PublisherEventCallbacks:
    """Warns of subscriptions whose quality of service asks for more than is offered."""
    return PublisherEventCallbacks(
        incompatible_qos=_warning(node, topic, "publisher", "a subscription"),
        use_default_callbacks=False,
    )


def subscription_events(node: Node, topic: str) -> SubscriptionEventCallbacks:
    """Warns of publishers whose quality of service offers less than is asked for."""
    return SubscriptionEventCallbacks(
        incompatible_qos=_warning(node, topic, "subscription", "a publisher"),
        use_default_callbacks=False,
    )


def _warning(node: Node, topic: str, own: str, other: str) -> Callable[[Any], None]:
    name = node.resolve_topic_name(topic)

    def warn(event: Any) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind).lower()
        node.get_logger().warning(
            f"{name}: {other} has another {policy}; no messages pass between it and this "
            f"{own} (qos_overrides.{name}.{own}.{policy} changes this one's)"
        )

    return warn

"""What a node says of its health on ``/diagnostics``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from .qos import reliable


class Level(Enum):
    """Severity, with the message's own values."""

    OK = DiagnosticStatus.OK
    WARN = DiagnosticStatus.WARN
    ERROR = DiagnosticStatus.ERROR


@dataclass(frozen=True)
class Health:
    """One item of a node's health.

    Attributes:
        item: what is judged, e.g. a camera's name.
        level: how bad it is.
        message: what is wrong, or "ok".
        values: figures behind it.
    """

    item: str
    level: Level = Level.OK
    message: str = "ok"
    values: Mapping[str, object] = field(default_factory=dict)


class DiagnosticsReporter:
    """Publishes a node's health once a period and logs every change of level.

    Args:
        node: the node that is judged.
        judge: gives the health of all items.
        period_s: seconds between messages.
    """

    def __init__(
        self, node: Node, judge: Callable[[], Sequence[Health]], period_s: float = 1.0
    ) -> None:
        self._node = node
        self._judge = judge
        self._known: dict[str, tuple[Level, str]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", reliable(5))
        self._timer = node.create_timer(period_s, self.publish)

    def publish(self) -> None:
        """Judge and publish now."""
        health = self._judge()
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.status = [self._status(item) for item in health]
        self._publisher.publish(message)
        for item in health:
            self._log_change(item)

    def destroy(self) -> None:
        """Stop publishing."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _status(self, health: Health) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=health.level.value,
            name=f"{self._node.get_name()}: {health.item}",
            message=health.message,
            hardware_id=self._node.get_namespace(),
            values=[KeyValue(key=k, value=str(v)) for k, v in health.values.items()],
        )

    def _log_change(self, health: Health) -> None:
        before = self._known.get(health.item, (Level.OK, ""))
        self._known[health.item] = (health.level, health.message)
        if health.level is before[0]:
            return
        logger, text = self._node.get_logger(), f"{health.item}: {health.message}"
        if health.level is Level.ERROR:
            logger.error(text)
        elif health.level is Level.WARN:
            logger.warning(text)
        else:
            logger.info(text)

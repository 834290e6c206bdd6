"""The topics of a running graph, their nodes and rates."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


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

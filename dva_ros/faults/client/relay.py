"""Stands between the nodes of a graph and passes their messages on, as its rules say."""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, JointState

from dva_msgs.msg import ActionChunk, ContextFrame, PredictedClip, PredictionRequest

from ...ros import qos
from .rules import Rule

PREFIX = "before_relay"
POLL_S = 0.005


@dataclass(frozen=True)
class Channel:
    """A topic that can be disturbed.

    Attributes:
        topic: its name, as its readers know it.
        sender: node that publishes it.
        kind: message type.
        inward: quality of service toward the sender.
        outward: toward the readers.
    """

    topic: str
    sender: str
    kind: type[Any]
    inward: QoSProfile
    outward: QoSProfile

    @property
    def source(self) -> str:
        """The name under which its sender publishes it instead."""
        return f"{PREFIX}/{self.topic}"


CHANNELS = (
    Channel("overhead/image_raw", "cell", Image, qos.reliable(10), qos.IMAGE_OUT),
    Channel("front/image_raw", "cell", Image, qos.reliable(10), qos.IMAGE_OUT),
    Channel("joint_states", "cell", JointState, qos.reliable(50), qos.reliable(10)),
    Channel("camera_context/context", "camera_context", ContextFrame, qos.FRAMES, qos.FRAMES),
    Channel(
        "leapfrog_scheduler/request",
        "leapfrog_scheduler",
        PredictionRequest,
        qos.COMMAND,
        qos.COMMAND,
    ),
    Channel("video_predictor/clip", "video_predictor", PredictedClip, qos.COMMAND, qos.COMMAND),
    Channel("inverse_dynamics/chunk", "inverse_dynamics", ActionChunk, qos.COMMAND, qos.COMMAND),
)
TOPICS = tuple(channel.topic for channel in CHANNELS)


def remaps() -> Mapping[str, Mapping[str, str]]:
    """For `GraphOptions`: the senders publish to the relay."""
    found: dict[str, dict[str, str]] = {}
    for channel in CHANNELS:
        found.setdefault(channel.sender, {})[channel.topic] = channel.source
    return found


class Relay(Node):
    """Passes messages on. Rules may be set from another thread.

    Attributes:
        passed: topic -> messages that its sender has sent.
    """

    def __init__(self, context: Context) -> None:
        super().__init__("fault_relay", context=context)
        self.passed: Counter[str] = Counter()
        self._rules: dict[str, Rule] = {}
        self._due: list[tuple[float, int, str, Any]] = []
        self._order = itertools.count()
        self._senders = {
            channel.topic: self.create_publisher(channel.kind, channel.topic, channel.outward)
            for channel in CHANNELS
        }
        for channel in CHANNELS:
            self.create_subscription(
                channel.kind, channel.source, partial(self._take, channel.topic), channel.inward
            )
        self.create_timer(POLL_S, self._deliver)

    def disturb(self, topic: str, rule: Rule) -> None:
        """From now on a topic follows a rule."""
        self._rules[topic] = rule

    def restore(self) -> None:
        """All messages pass again; what was held back is delivered."""
        rules, self._rules = self._rules, {}
        for topic, rule in rules.items():
            for message in rule.held_back():
                self._schedule(topic, 0.0, message)

    def _take(self, topic: str, message: Any) -> None:
        self.passed[topic] += 1
        rule = self._rules.get(topic)
        for delay_s, changed in [(0.0, message)] if rule is None else rule.deliveries(message):
            if delay_s > 0:
                self._schedule(topic, delay_s, changed)
            else:
                self._senders[topic].publish(changed)

    def _schedule(self, topic: str, delay_s: float, message: Any) -> None:
        heapq.heappush(self._due, (time.monotonic() + delay_s, next(self._order), topic, message))

    def _deliver(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, topic, message = heapq.heappop(self._due)
            self._senders[topic].publish(message)

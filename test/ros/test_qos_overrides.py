"""Qualities of service from parameters: they take effect for one topic, or are refused by name."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import QoSReliabilityPolicy  # noqa: E402
from ros_graph import Graph  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from dva_ros.ros import qos  # noqa: E402
from dva_ros.ros.managed_node import ManagedNode  # noqa: E402


class Listener(ManagedNode):
    """Hears two topics with one profile."""

    def __init__(self, **overrides: object) -> None:
        parameters = [
            Parameter(f"qos_overrides./{name.replace('__', '.')}", value=value)
            for name, value in overrides.items()
        ]
        super().__init__("listener", parameter_overrides=parameters)
        self.heard: list[str] = []

    def setup(self) -> None:
        for topic in ("word", "other"):
            self.subscribe(String, topic, lambda m: self.heard.append(m.data), qos.SENSOR)


def reliability(graph: Graph, topic: str) -> QoSReliabilityPolicy:
    """As ROS's graph has it."""
    (info,) = graph.client.get_subscriptions_info_by_topic(topic)
    return info.qos_profile.reliability


def test_an_override_changes_its_topic_and_no_other(graph: Graph) -> None:
    """rclpy writes overrides into the profile it is given: the shared one must stay."""
    graph.add_active(Listener(word__subscription__reliability="reliable"))
    assert reliability(graph, "/word") is QoSReliabilityPolicy.RELIABLE
    assert reliability(graph, "/other") is QoSReliabilityPolicy.BEST_EFFORT
    assert qos.SENSOR.reliability is QoSReliabilityPolicy.BEST_EFFORT


def test_an_overridden_durability_brings_what_was_said_before(graph: Graph) -> None:
    graph.client.create_publisher(String, "word", qos.STATE).publish(String(data="early"))
    node = graph.add_active(
        Listener(
            word__subscription__durability="transient_local",
            word__subscription__reliability="reliable",
        )
    )
    graph.spin_until(lambda: node.heard == ["early"])


@pytest.mark.parametrize(
    ("policy", "value"), [("reliability", "fast"), ("depth", 0), ("depth", "deep")]
)
def test_what_is_no_quality_of_service_is_refused_by_name(
    graph: Graph, policy: str, value: object
) -> None:
    node = graph.add(Listener(**{f"word__subscription__{policy}": value}))
    node.trigger_configure()
    assert "qos_overrides./word" in node.failure
    assert "reliability reliable or best_effort" in node.failure


def test_an_override_of_a_topic_that_is_not_there_is_warned_of(
    graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    graph.add(Listener(words__subscription__depth=3)).trigger_configure()
    said = capfd.readouterr().err
    assert "qos_overrides./words.subscription.depth is unknown here and has no effect" in said
    assert "did you mean qos_overrides./word.subscription.depth?" in said


def warnings_until(graph: Graph, capfd: pytest.CaptureFixture[str], awaited: str) -> str:
    """What was logged until `awaited` was, which it must be."""
    said = ""

    def warned() -> bool:
        nonlocal said
        said += capfd.readouterr().err
        return awaited in said

    graph.spin_until(warned)
    return said


def test_a_publisher_that_offers_less_is_named_with_the_remedy(
    graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    graph.add_active(Listener(word__subscription__reliability="reliable"))
    graph.client.create_publisher(String, "word", qos.SENSOR)
    said = warnings_until(graph, capfd, "/word: a publisher has another reliability")
    assert "qos_overrides./word.subscription.reliability changes this one's" in said


def test_a_subscription_that_asks_for_more_is_named_with_the_remedy(
    graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    node = graph.add(ManagedNode("speaker"))
    node.advertise(String, "word", qos.SENSOR)
    graph.client.create_subscription(String, "word", print, qos.reliable(1))
    said = warnings_until(graph, capfd, "/word: a subscription has another reliability")
    assert "qos_overrides./word.publisher.reliability changes this one's" in said

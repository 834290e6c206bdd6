"""One teardown path, transitions that fail aloud, parameters that are checked."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from rclpy.parameter import Parameter  # noqa: E402
from ros_graph import Graph  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from dva_ros.errors import UserError  # noqa: E402
from dva_ros.ros.managed_node import ManagedNode  # noqa: E402
from dva_ros.ros.parameters import ParameterError, declare, parameter  # noqa: E402
from dva_ros.ros.qos import reliable  # noqa: E402


class Recorder(ManagedNode):
    """Notes its hooks; fails where told."""

    def __init__(self, fails_in: str = "", error: Exception | None = None) -> None:
        super().__init__("recorder")
        self.fails_in, self.error = fails_in, error or UserError("no camera: plug it in")
        self.steps: list[str] = []

    def note(self, step: str) -> None:
        self.steps.append(step)
        if step == self.fails_in:
            raise self.error

    def setup(self) -> None:
        self.subscribe(String, "word", lambda message: self.note(message.data), reliable(5))
        self.note("setup")

    def start(self) -> None:
        self.note("start")

    def stop(self) -> None:
        self.note("stop")

    def teardown(self) -> None:
        self.note("teardown")


def test_the_hooks_run_in_order_and_shutdown_stops_first(graph: Graph) -> None:
    node = graph.add_active(Recorder())
    node.trigger_shutdown()
    assert node.steps == ["setup", "start", "stop", "teardown"]
    assert list(node.subscriptions) == []


def test_a_failed_setup_is_named_released_and_can_be_tried_again(graph: Graph) -> None:
    node = graph.add(Recorder(fails_in="setup"))
    node.trigger_configure()
    assert node.failure == "no camera: plug it in"
    assert node.steps == ["setup", "teardown"]
    assert list(node.subscriptions) == []
    node.fails_in = ""
    node.trigger_configure()
    node.trigger_activate()
    assert node.active


def test_an_unexpected_exception_in_a_transition_is_not_swallowed(graph: Graph) -> None:
    node = graph.add(Recorder(fails_in="start", error=KeyError("weights")))
    node.trigger_configure()
    node.trigger_activate()
    assert not node.active
    assert node.failure == "KeyError: 'weights'"


def test_messages_are_heard_only_while_active(graph: Graph) -> None:
    node = graph.add_active(Recorder())
    publisher = graph.client.create_publisher(String, "word", reliable(5))
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(String(data="heard"))
    graph.spin_until(lambda: "heard" in node.steps)
    node.trigger_deactivate()
    publisher.publish(String(data="unheard"))
    graph.spin(0.3)
    assert "unheard" not in node.steps


@dataclass(frozen=True)
class Settings:
    """Examples of every kind."""

    rate: float = parameter(10.0, "rate, Hz", minimum=1.0, maximum=100.0)
    depth: int = parameter(4, "depth", minimum=1, maximum=8)
    kind: str = parameter("fast", "kind", choices=("fast", "slow"))
    names: tuple[str, ...] = parameter(("a", "b"), "names", renamed_from=("labels",))

    def __post_init__(self) -> None:
        if self.depth > len(self.names) * 4:
            raise ValueError("depth does not fit names")


def node_with(graph: Graph, name: str, value: object) -> ManagedNode:
    overrides = [Parameter(name, value=value)]
    return graph.add(ManagedNode("configured", parameter_overrides=overrides))


def test_parameters_have_descriptions_ranges_and_defaults(graph: Graph) -> None:
    node = graph.add(ManagedNode("configured"))
    assert declare(node, Settings) == Settings()
    described = node.describe_parameter("rate")
    assert described.description == "rate, Hz"
    assert described.read_only
    assert described.floating_point_range[0].to_value == 100.0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rate", 1000.0, "rate"),
        ("depth", 0, "depth"),
        ("depth", "four", "depth"),
        ("kind", "medium", "fast, slow"),
        ("names", ["a"], None),
    ],
)
def test_a_bad_parameter_is_refused_by_name(
    graph: Graph, name: str, value: object, said: str | None
) -> None:
    node = node_with(graph, name, value)
    if said is None:
        assert declare(node, Settings).names == ("a",)
        return
    with pytest.raises(ParameterError, match=said):
        declare(node, Settings)


def test_what_spans_parameters_is_checked_too(graph: Graph) -> None:
    node = graph.add(
        ManagedNode(
            "configured",
            parameter_overrides=[Parameter("names", value=["a"]), Parameter("depth", value=8)],
        )
    )
    with pytest.raises(ParameterError, match="depth does not fit names"):
        declare(node, Settings)


def test_a_parameter_that_nobody_reads_is_named_with_what_may_be_meant(
    graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    """rclpy ignores it without a word: a renamed or misspelt parameter had no effect at all."""
    node = node_with(graph, "deph", 3)
    declare(node, Settings)
    node.trigger_configure()
    said = capfd.readouterr().err
    assert "parameter deph is unknown here and has no effect; did you mean depth?" in said
    assert said.count("has no effect") == 1


def test_a_deprecated_parameter_name_is_used_with_one_warning(
    graph: Graph, capfd: pytest.CaptureFixture[str]
) -> None:
    """From --ros-args as well; it is not reported as unknown, and declaring again says nothing."""
    arguments = ["--ros-args", "-p", "labels:=[left, right, top]"]
    node = graph.add(ManagedNode("configured", cli_args=arguments))
    assert declare(node, Settings).names == ("left", "right", "top")
    assert declare(node, Settings).names == ("left", "right", "top")
    node.trigger_configure()
    said = capfd.readouterr().err
    assert said.count("parameter labels of /configured is deprecated; use names") == 1
    assert "has no effect" not in said


@pytest.mark.parametrize("new", [["x"], ["y"]])
def test_an_old_and_a_new_name_must_have_the_same_value(graph: Graph, new: list[str]) -> None:
    overrides = [Parameter("labels", value=["x"]), Parameter("names", value=new)]
    node = graph.add(ManagedNode("configured", parameter_overrides=overrides))
    if new == ["x"]:
        assert declare(node, Settings).names == ("x",)
        return
    with pytest.raises(ParameterError, match="labels is the deprecated name of names"):
        declare(node, Settings)

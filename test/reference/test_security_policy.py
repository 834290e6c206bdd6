"""config/sros2/policies.xml: nodes may do what they do, and only the scheduler moves the robot."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from dva_ros.bringup.graph import GRAPH, GraphOptions, enclave  # noqa: E402
from dva_ros.reference.pages import COMMAND, POLICIES  # noqa: E402
from dva_ros.reference.security_policy import policies  # noqa: E402
from dva_ros.resources import config_path  # noqa: E402

MOVES = ("engage", "approve", "hold", "disengage", "clear_context", "reset", "change_state")
"""Services that begin, end or change motion."""

Rules = dict[str, dict[str, set[str]]]
"""Enclave -> publish, subscribe, reply or request -> resolved names."""


@pytest.fixture(scope="module")
def rules() -> Rules:
    """What the file allows."""
    found: Rules = {}
    for element in ET.parse(POLICIES).getroot().iter("enclave"):
        allowed = found[element.attrib["path"]] = {}
        profile = element.find("profiles/profile")
        assert profile is not None
        for group in profile:
            ((rule, value),) = group.attrib.items()
            assert value == "ALLOW"
            names = {_resolved(item.text or "", profile.attrib["node"]) for item in group}
            allowed[rule] = allowed.get(rule, set()) | names
    return found


def _resolved(name: str, node: str) -> str:
    if name.startswith("~"):
        return f"/{node}{name[1:]}"
    return name if name.startswith("/") else f"/{name}"


def test_the_file_is_what_the_running_nodes_need(node_interfaces: Any) -> None:
    assert POLICIES.read_text() == policies(*node_interfaces), f"it is old; run {COMMAND}"


def test_every_node_may_do_all_that_it_does(node_interfaces: Any, rules: Rules) -> None:
    common, every = node_interfaces
    for node in every:
        allowed = rules[enclave(node.name)]
        for rule, ends in (
            ("publish", (*common.publishers, *node.publishers)),
            ("subscribe", node.subscriptions),
            ("reply", (*common.services, *node.services)),
            ("request", node.clients),
        ):
            assert {end.resolved(node.name) for end in ends} <= allowed.get(rule, set())


def test_only_the_scheduler_publishes_trajectories(rules: Rules) -> None:
    senders = {
        name
        for name, allowed in rules.items()
        for topic in allowed["publish"]
        if topic.endswith("/joint_trajectory") or "*" in topic
    }
    assert senders == {enclave("leapfrog_scheduler")}


@pytest.mark.parametrize("topic", ["context", "clip", "chunk", "request"])
def test_what_becomes_motion_has_one_publisher(rules: Rules, topic: str) -> None:
    senders = [n for n, allowed in rules.items() if _any(allowed["publish"], topic)]
    assert len(senders) == 1
    assert senders[0] not in (enclave("operator"), enclave("monitor"))


@pytest.mark.parametrize("service", MOVES)
def test_only_the_operator_calls_what_moves_the_robot(rules: Rules, service: str) -> None:
    callers = {n for n, allowed in rules.items() if _any(allowed.get("request", set()), service)}
    assert callers == {enclave("operator")}


def test_the_monitor_only_listens(rules: Rules) -> None:
    allowed = rules[enclave("monitor")]
    assert "request" not in allowed
    assert allowed["publish"] == {"/diagnostics", "/parameter_events", "/rosout"}


def test_nobody_sets_parameters_or_the_clock(rules: Rules) -> None:
    for allowed in rules.values():
        assert not _any(allowed.get("request", set()), "set_parameters")
        assert "/clock" not in allowed["publish"]


def test_every_process_of_the_graph_is_started_in_its_enclave(rules: Rules) -> None:
    options = GraphOptions(params_file=config_path("cell"), with_display=True)
    for node in GRAPH:
        command = options.command(node)
        name = command[command.index("--enclave") + 1]
        assert name in rules
        assert name.endswith(f"/{node.name}")


def _any(names: set[str], last: str) -> bool:
    return any(name.rpartition("/")[2].startswith(last) for name in names)

"""docs/reference.md says what the running nodes say: topics, services, parameters, qualities."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from dva_ros.bringup.graph import GRAPH  # noqa: E402
from dva_ros.reference.introspection import node_classes  # noqa: E402
from dva_ros.reference.pages import COMMAND, PAGE, page  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_running_nodes_say(node_interfaces: Any) -> None:
    same = PAGE.read_text() == page(*node_interfaces)  # pytest's own comparison takes minutes
    assert same, f"docs/reference.md is old; run {COMMAND}"


def test_every_node_that_can_be_started_is_on_the_page() -> None:
    """Those of the graph, and those that setup.py installs."""
    setup = ast.parse((ROOT / "setup.py").read_text())
    installed = next(
        ast.literal_eval(item.value)
        for item in setup.body
        if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == "NODES"
    )
    assert {node.name for node in GRAPH} | set(installed) == set(node_classes())


def test_all_topics_of_the_nodes_own_can_be_overridden(node_interfaces: Any) -> None:
    _, every = node_interfaces
    fixed = [
        (node.name, end.name)
        for node in every
        for end in (*node.publishers, *node.subscriptions)
        if not end.overridable
    ]
    assert fixed == []


def test_every_parameter_is_explained(node_interfaces: Any) -> None:
    _, every = node_interfaces
    assert [p.name for node in every for p in node.parameters if not p.description] == []


def test_the_hand_written_page_names_every_topic_and_service(node_interfaces: Any) -> None:
    """docs/reference/nodes.md says what each is for."""
    text = (ROOT / "docs" / "reference" / "nodes.md").read_text()
    common = ("overhead/", "front/", "joint_trajectory_controller/")
    _, every = node_interfaces
    missing = []
    for node in every:
        for end in (*node.publishers, *node.subscriptions, *node.services):
            name = end.resolved(node.name).lstrip("/")
            for prefix in common:
                name = name.removeprefix(prefix)
            if f"{name}`" not in text:
                missing.append(f"{node.name}: {name}")
    assert missing == []

"""docs/nodes.md lists every parameter as the code has it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from dva_ros.graph import GRAPH  # noqa: E402
from dva_ros.nodes.reference import TABLES, parameter_table  # noqa: E402

PAGE = Path(__file__).resolve().parents[2] / "docs" / "nodes.md"


@pytest.mark.parametrize("title", list(TABLES))
def test_the_page_has_the_table_of(title: str) -> None:
    section = f"### {title}\n\n{parameter_table(TABLES[title])}\n"
    assert section in PAGE.read_text(), (
        "docs/nodes.md is out of date; print the tables with python -m dva_ros.nodes.reference"
    )


def test_every_node_has_a_table() -> None:
    assert {node.name for node in GRAPH} <= set(TABLES)

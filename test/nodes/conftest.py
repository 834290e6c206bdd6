"""One rclpy context and one executor a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Any]:
    """A `ros_graph.Graph`, closed after the test."""
    from ros_graph import Graph

    graph = Graph()
    yield graph
    graph.close()

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


@pytest.fixture(scope="session")
def node_interfaces(ros_domain: int, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What every node has and what each has beside it, read from the running nodes once."""
    import rclpy

    from dva_ros.nodes.introspection import interfaces

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("nodes"))
        rclpy.init()
        try:
            return interfaces()
        finally:
            rclpy.shutdown()

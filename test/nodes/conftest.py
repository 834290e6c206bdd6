"""One rclpy context and one executor a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
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
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both untrained checkpoints."""
    from tiny_models import write_tiny_models

    return write_tiny_models(tmp_path_factory.mktemp("models"))

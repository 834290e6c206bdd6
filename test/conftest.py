"""What all tests share: quiet threads, a headless renderer, a ROS domain of their own."""

from __future__ import annotations

import importlib.util
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dva_ros.bringup.graph import middleware

# Before anything imports numpy, torch, MuJoCo or rclpy; subprocesses of the tests inherit it.
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
os.environ.update(middleware())

LEAST_DOMAIN, GREATEST_DOMAIN = 1, 101
"""ROS domains whose ports lie below the ephemeral ports of Linux."""


def missing_for_ros() -> str | None:
    """Why tests of the `ros` mark cannot run here; None where they can."""
    for module in ("rclpy", "dva_msgs"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not importable; run make setup and source env.sh"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of the `ros` mark where ROS 2 is absent."""
    reason = missing_for_ros()
    if reason is not None:
        for item in items:
            if item.get_closest_marker("ros"):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def ros_domain() -> int:
    """A ROS_DOMAIN_ID that this test run alone uses, also in its subprocesses."""
    domain = random.SystemRandom().randint(LEAST_DOMAIN, GREATEST_DOMAIN)
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    return domain


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both untrained checkpoints."""
    from tiny_models import write_tiny_models

    return write_tiny_models(tmp_path_factory.mktemp("models"))


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

    from dva_ros.reference.introspection import interfaces

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("nodes"))
        rclpy.init()
        try:
            return interfaces()
        finally:
            rclpy.shutdown()

"""Nodes of the test's own process, spun by the test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor

from dva_ros.ros.managed_node import ManagedNode


class Graph:
    """Nodes of this process, spun by the test."""

    def __init__(self) -> None:
        rclpy.init()
        self._executor = SingleThreadedExecutor()
        self.nodes: list[Any] = []
        self.client = self.add(rclpy.create_node("test_client"))

    def add(self, node: Any) -> Any:
        self._executor.add_node(node)
        self.nodes.append(node)
        return node

    def add_active(self, node: Any) -> Any:
        """Configure and activate a managed node."""
        self.add(node)
        node.trigger_configure()
        node.trigger_activate()
        assert node.active, node.failure
        return node

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def spin_until(self, reached: Callable[[], Any], timeout_s: float = 15.0) -> None:
        end = time.monotonic() + timeout_s
        while not reached():
            assert time.monotonic() < end, f"not reached within {timeout_s} s"
            self._executor.spin_once(timeout_sec=0.05)

    def collect(self, kind: type[Any], topic: str, qos: Any) -> list[Any]:
        """Everything that comes on a topic from now on."""
        heard: list[Any] = []
        self.client.create_subscription(kind, topic, heard.append, qos)
        return heard

    def call(self, kind: type[Any], name: str, request: Any) -> Any:
        client = self.client.create_client(kind, name)
        self.spin_until(client.service_is_ready)
        future = client.call_async(request)
        self.spin_until(future.done)
        return future.result()

    def close(self) -> None:
        for node in self.nodes:
            if isinstance(node, ManagedNode):
                node.finish()
            else:
                node.destroy_node()
        self._executor.shutdown()
        rclpy.shutdown()

"""Asks and drives the lifecycles of a launched graph, from the test's own process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import SingleThreadedExecutor

STEP_S = 90.0


class Lifecycles:
    """A client of nodes of one namespace, spun by the test; rclpy lives as long as it.

    Args:
        namespace: of the nodes, with its slash.
        nodes: their names.
    """

    def __init__(self, namespace: str, nodes: Sequence[str]) -> None:
        rclpy.init()
        self.namespace = namespace
        self.node = rclpy.create_node("bringup_test")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._states = {
            name: self.node.create_client(GetState, f"{namespace}/{name}/get_state")
            for name in nodes
        }

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown()

    def until(self, reached: Callable[[], Any], timeout_s: float = STEP_S) -> None:
        end = time.monotonic() + timeout_s
        while not reached():
            assert time.monotonic() < end, f"not reached within {timeout_s} s"
            self._executor.spin_once(timeout_sec=0.05)

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def state(self, name: str) -> int | None:
        """None where no answer came in time, as from a node that does not run."""
        answer = self._answer(self._states[name], GetState.Request(), 2.0)
        return None if answer is None else answer.current_state.id

    def is_active(self, name: str) -> bool:
        return self.state(name) == State.PRIMARY_STATE_ACTIVE

    def change(self, name: str, transition: int) -> None:
        """Ask for a transition; it must succeed."""
        client = self.node.create_client(ChangeState, f"{self.namespace}/{name}/change_state")
        self.until(client.service_is_ready)
        request = ChangeState.Request(transition=Transition(id=transition))
        answer = self._answer(client, request, STEP_S)
        self.node.destroy_client(client)
        assert answer is not None and answer.success, f"{name} refused {transition}"

    def _answer(self, client: Any, request: Any, timeout_s: float) -> Any:
        if not client.service_is_ready():
            return None
        future = client.call_async(request)
        self._executor.spin_until_future_complete(future, timeout_s)
        return future.result() if future.done() else None

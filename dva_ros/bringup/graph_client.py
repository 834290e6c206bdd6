"""A client of the whole graph: starts its processes, listens, and calls their services."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import rclpy
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from tqdm import tqdm

from ..errors import UserError
from .graph import GRAPH, GraphOptions, middleware
from .supervisor import Supervisor

START_TIMEOUT_S = 90.0
SERVICE_TIMEOUT_S = 15.0
WAIT_TIMEOUT_S = 5.0
POLL_S = 0.02


@contextmanager
def ros_context() -> Iterator[Context]:
    """A separate ROS context, shut down in the end."""
    os.environ.update(middleware())
    context = Context()
    rclpy.init(context=context)
    try:
        yield context
    finally:
        rclpy.try_shutdown(context=context)


class ServiceClient(Node):
    """Calls services from a thread other than the one that spins it."""

    def request(self, kind: type[Any], name: str, request: Any, timeout_s: float) -> Any:
        """Call a service and wait.

        Raises:
            UserError: it does not answer in time.
        """
        client = self.create_client(kind, name)
        done = threading.Event()
        try:
            if not client.wait_for_service(timeout_s):
                raise UserError(f"service {name} did not appear within {timeout_s:.0f} s")
            future = client.call_async(request)
            future.add_done_callback(lambda _: done.set())
            if not done.wait(timeout_s):
                raise UserError(f"service {name} did not answer within {timeout_s:.0f} s")
            return future.result()
        finally:
            self.destroy_client(client)


class RunningGraph:
    """The graph's processes, and nodes of this process that are spun in a thread of their own.

    Use as a context manager: entering starts all and waits until every node is active; leaving
    stops all and destroys the nodes.

    Args:
        context: of the nodes.
        options: of the graph.
        nodes: of this process.

    Raises:
        UserError: on entering, a node died or does not become active, or another graph runs in
            this ROS domain.
    """

    def __init__(self, context: Context, options: GraphOptions, nodes: Sequence[Node]) -> None:
        self._client = ServiceClient("graph_client", context=context)
        self._nodes = [self._client, *nodes]
        self._executor = SingleThreadedExecutor(context=context)
        for node in self._nodes:
            self._executor.add_node(node)
        self._spinner = threading.Thread(target=self._spin, name="graph client")
        self.supervisor = Supervisor(options, _print_problem)

    def __enter__(self) -> RunningGraph:
        self._spinner.start()
        try:
            self._require_alone()
            self.supervisor.__enter__()
            self.wait_until_active([run.node.name for run in self.supervisor.processes])
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def wait_until_active(self, names: Sequence[str], timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait for the lifecycle state of these nodes.

        Raises:
            UserError: a node died, or is not active in time.
        """
        deadline = time.monotonic() + timeout_s
        waiting = list(names)
        while waiting:
            self.require_alive()
            if time.monotonic() > deadline:
                raise UserError(f"not active after {timeout_s:.0f} s: {', '.join(waiting)}")
            waiting = [name for name in waiting if not self._is_active(name)]

    def call(
        self, kind: type[Any], name: str, request: Any, timeout_s: float = SERVICE_TIMEOUT_S
    ) -> Any:
        """Call a service that answers with `success` and `message`.

        Raises:
            UserError: it refused, or does not answer in time; or a node died.
        """
        self.require_alive()
        answer = self._client.request(kind, name, request, timeout_s)
        if not answer.success:
            raise UserError(f"{name} refused: {getattr(answer, 'message', '')}")
        return answer

    def wait(
        self, reached: Callable[[], bool], what: str, timeout_s: float = WAIT_TIMEOUT_S
    ) -> None:
        """Wait for something.

        Raises:
            UserError: it did not come in time, or a node died.
        """
        deadline = time.monotonic() + timeout_s
        while not reached():
            self.require_alive()
            if time.monotonic() > deadline:
                raise UserError(f"waited {timeout_s:.0f} s for {what}")
            time.sleep(POLL_S)

    def require_alive(self) -> None:
        """Raises UserError with the last lines of a node that died."""
        death = self.supervisor.death(0.0)
        if death is not None:
            raise UserError(death.describe())

    def _is_active(self, name: str) -> bool:
        try:
            answer = self._client.request(GetState, f"{name}/get_state", GetState.Request(), 1.0)
        except UserError:
            return False
        return bool(answer.current_state.id == State.PRIMARY_STATE_ACTIVE)

    def _require_alone(self) -> None:
        """Two graphs in one ROS domain would command one another's cell."""
        time.sleep(1.0)
        running = {node.name for node in GRAPH} & set(self._client.get_node_names())
        if running:
            raise UserError(
                f"already running in this ROS domain: {', '.join(sorted(running))}; stop them, or "
                "choose another domain: export ROS_DOMAIN_ID=<number>"
            )

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return

    def _close(self) -> None:
        self.supervisor.stop()
        self._executor.shutdown()
        self._spinner.join()
        for node in self._nodes:
            node.destroy_node()


def _print_problem(line: str) -> None:
    if "[ERROR]" in line or "[FATAL]" in line:
        tqdm.write(line)

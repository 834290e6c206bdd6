"""Runs one node as a process: executor, signals, automatic start, exit status."""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from ..errors import UserError
from .lifetime import die_with_parent
from .managed_node import ManagedNode
from .parameters import declare, parameter

EXIT_FAILED = 1
BROKEN_POLL_S = 0.2


@dataclass(frozen=True)
class ProcessParameters:
    """Parameters that every node has."""

    autostart: bool = parameter(
        True, "configure and activate at the start; without it a lifecycle manager does"
    )


def run_node(build: Callable[[], ManagedNode], arguments: list[str] | None = None) -> int:
    """Build a node and spin it until SIGINT or SIGTERM.

    The signals are waited for in a thread of their own while ROS still works, so that a node can
    say its last word (the scheduler's stop trajectory) before the context ends. They are handled
    rather than blocked: threads that libraries started on import have a mask of their own, and a
    signal that one of them takes would end the process at once.

    Returns:
        The process's exit status: 0, or 1 where the node could not start or gave up.
    """
    die_with_parent()
    signals = _listen()
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = build()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        rclpy.try_shutdown()
        return EXIT_FAILED
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    ended: Future = Future()

    def wait_for_end() -> None:
        while not node.broken.is_set():
            if select.select([signals], [], [], BROKEN_POLL_S)[0]:
                name = signal.Signals(os.read(signals, 1)[0]).name
                node.get_logger().info(f"{name}: stopping")
                break
        executor.create_task(ended.set_result, None)

    threading.Thread(target=wait_for_end, name="signals", daemon=True).start()
    try:
        if not _start(node):
            return EXIT_FAILED
        # What exists now stays: a walk through it for garbage would only hold up messages.
        gc.collect()
        gc.freeze()
        executor.spin_until_future_complete(ended)
        return EXIT_FAILED if node.broken.is_set() else 0
    except ExternalShutdownException:
        return 0
    finally:
        executor.remove_node(node)
        node.finish()
        executor.shutdown()
        rclpy.try_shutdown()


def _listen() -> int:
    """From now on the numbers of SIGINT and SIGTERM can be read here, a byte each."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return reader


def _start(node: ManagedNode) -> bool:
    try:
        autostart = declare(node, ProcessParameters).autostart
    except UserError as error:
        node.get_logger().error(str(error))
        return False
    if not autostart:
        return True
    if node.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
        node.get_logger().error(f"cannot be configured: {node.failure}")
        return False
    if node.trigger_activate() is not TransitionCallbackReturn.SUCCESS:
        node.get_logger().error(f"cannot be activated: {node.failure}")
        return False
    return True

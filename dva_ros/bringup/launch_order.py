"""Starts actions in order: processes when one has ended, nodes when one is active.

Nodes activate themselves, also after a respawn; the launch only looks. It asks for the state
rather than listen for the transition, which may have happened before it had found the node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from launch import Action, LaunchContext, LaunchDescriptionEntity
from launch.actions import OpaqueCoroutine, RegisterEventHandler
from launch.event_handlers import OnExecutionComplete, OnProcessExit
from launch.logging import get_logger
from launch_ros.actions import Node
from launch_ros.ros_adapters import get_ros_node
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState

from ..errors import UserError

Entities = list[LaunchDescriptionEntity]

POLL_S = 0.2
ANSWER_TIMEOUT_S = 2.0
"""A request to a server that has just been found can be lost; then it is asked again."""
SAY_EVERY_S = 10.0


def in_order(nodes: Sequence[Node]) -> Entities:
    """Start lifecycle nodes, each when the one before it is active."""
    if len(nodes) < 2:
        return list(nodes)
    first, rest = nodes[0], nodes[1:]
    active = OpaqueCoroutine(coroutine=_until_active, args=[first])
    return [
        RegisterEventHandler(
            OnExecutionComplete(target_action=active, on_completion=_unless_ending(in_order(rest)))
        ),
        first,
        active,
    ]


def after(action: Action, entities: Sequence[LaunchDescriptionEntity]) -> Entities:
    """Start what follows when a process has ended well; its failure ends the launch."""

    def ended(event: Any, context: LaunchContext) -> Entities:
        if event.returncode == 0 and not context.is_shutdown:
            return list(entities)
        return must_live(event, context)

    return [RegisterEventHandler(OnProcessExit(target_action=action, on_exit=ended)), action]


def must_live(event: Any, context: LaunchContext) -> Entities:
    """For a process's ``on_exit``: its end ends the launch, unless that ends already.

    Raises:
        UserError: `launch` shows it, stops everything and ends with status 1, which it does not
            do for its own `Shutdown`.
    """
    if not context.is_shutdown:
        raise UserError(f"{event.process_name} has ended with status {event.returncode}")
    return []


def _unless_ending(entities: Entities) -> Callable[[Any, LaunchContext], Entities]:
    return lambda event, context: [] if context.is_shutdown else entities


async def _until_active(context: LaunchContext, node: Node) -> None:
    """Wait until a node's lifecycle is active; logs that it waits."""
    client = get_ros_node(context).create_client(GetState, f"{node.node_name}/get_state")
    logger = get_logger("bringup")
    loop = asyncio.get_running_loop()
    say_at = loop.time() + SAY_EVERY_S
    try:
        while (state := await _state(client)) is None or state.id != State.PRIMARY_STATE_ACTIVE:
            if loop.time() >= say_at:
                seen = "not answering" if state is None else state.label
                logger.info(f"waiting for {node.node_name} to be active; it is {seen}")
                say_at += SAY_EVERY_S
            await asyncio.sleep(POLL_S)
    except asyncio.CancelledError:
        # The launch ends. `launch` reports a cancelled task as an error.
        return
    get_ros_node(context).destroy_client(client)
    logger.info(f"{node.node_name} is active")


async def _state(client: Any) -> State | None:
    """The state, or None where no answer came in time."""
    if not client.service_is_ready():
        return None
    future = client.call_async(GetState.Request())
    loop = asyncio.get_running_loop()
    end = loop.time() + ANSWER_TIMEOUT_S
    while not future.done():
        if loop.time() >= end:
            client.remove_pending_request(future)
            return None
        await asyncio.sleep(POLL_S / 4)
    return future.result().current_state

"""The graph's nodes as actions of ``launch``."""

from __future__ import annotations

import os

from launch import LaunchDescriptionEntity
from launch.actions import SetEnvironmentVariable
from launch_ros.actions import Node

from ..resources import PACKAGE
from ..ros.lifetime import DIE_WITH_PARENT
from .graph import (
    GraphNode,
    enclave,
    environment,
    middleware,
)
from .launch_arguments import Bringup
from .launch_order import in_order, must_live

RESPAWN_DELAY_S = 2.0
"""So that a node that cannot start does not keep the machine busy."""


def graph_actions(bringup: Bringup) -> list[LaunchDescriptionEntity]:
    """All nodes: one after the other where they activate themselves, else all at once."""
    nodes = [node_action(node, bringup) for node in bringup.options.nodes()]
    return in_order(nodes) if bringup.autostart else list(nodes)


def node_action(node: GraphNode, bringup: Bringup) -> Node:
    """One node, one process.

    Its end, unless it is started again, ends the launch, as with ``python -m dva_ros up``: half a
    graph does not look like a whole one. It ends with the launch however that ends: ``launch``
    leaves its processes behind on SIGTERM and SIGKILL, and a second launch would have a second
    scheduler.
    """
    options = bringup.options
    return Node(
        package=PACKAGE,
        executable=node.name,
        name=node.name,
        namespace=options.namespace,
        parameters=[
            str(options.params_file),
            {"autostart": bringup.autostart, **options.parameters(node)},
        ],
        ros_arguments=["--log-level", options.log_level, "--enclave", enclave(node.name)],
        additional_env={**environment(), DIE_WITH_PARENT: str(os.getpid())},
        output="screen",
        respawn=bringup.respawn,
        respawn_delay=RESPAWN_DELAY_S,
        sigterm_timeout=str(node.stop_timeout_s),
        on_exit=None if bringup.respawn else must_live,
    )


def transport() -> list[SetEnvironmentVariable]:
    """Messages sized for images in every process of the launch, the bridge's and RViz's too."""
    return [SetEnvironmentVariable(name, value) for name, value in middleware().items()]

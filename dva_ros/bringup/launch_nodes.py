"""The graph's nodes as actions of ``launch``."""

from __future__ import annotations

import os
from collections.abc import Sequence

from launch import LaunchDescriptionEntity
from launch.actions import SetEnvironmentVariable
from launch_ros.actions import Node

from ..resources import PACKAGE
from ..ros.lifetime import DIE_WITH_PARENT
from .graph import GraphNode, enclave, environment, middleware
from .launch_arguments import Bringup
from .launch_order import in_order, must_live

TRANSFORMS = [("/tf", "tf"), ("/tf_static", "tf_static")]
"""Relative, so that every namespace has its own transforms."""
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


def robot_state_publisher(
    bringup: Bringup, description: str, remappings: Sequence[tuple[str, str]] = ()
) -> Node:
    """A robot_state_publisher in the namespace of the nodes.

    Args:
        bringup: of the launch file.
        description: text of the URDF.
        remappings: beside those of the transforms.
    """
    options = bringup.options
    return Node(
        package="robot_state_publisher",
        executable="robot_state_publisher",
        namespace=options.namespace,
        parameters=[{"robot_description": description, "use_sim_time": options.use_sim_time}],
        remappings=[*TRANSFORMS, *remappings],
        output="screen",
        respawn=bringup.respawn,
    )


def transport() -> list[SetEnvironmentVariable]:
    """Messages sized for images in every process of the launch, the bridge's and RViz's too."""
    return [SetEnvironmentVariable(name, value) for name, value in middleware().items()]

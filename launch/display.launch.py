"""RViz with the robot, its cameras and the predicted clip, beside a cell that runs."""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import OpaqueFunction, Shutdown
from launch_ros.actions import Node

from dva_ros.bringup.graph import DISPLAY, graph_node
from dva_ros.bringup.launch_arguments import Argument, Bringup, GraphArguments, switch
from dva_ros.bringup.launch_nodes import (
    TRANSFORMS,
    node_action,
    robot_state_publisher,
    transport,
)
from dva_ros.bringup.launch_packages import require_packages
from dva_ros.cell.description import robot_description
from dva_ros.resources import resource_path

GRAPH = GraphArguments(params_file="cell")
RVIZ = switch("rviz", True, "start RViz; false: only publish the predicted clip as an image")
RVIZ_CONFIG = Argument("rviz_config", "", "RViz's configuration; empty: rviz/cell.rviz")
ROBOT_STATE = switch(
    "robot_state_publisher",
    True,
    "start a robot_state_publisher for urdf/cell.urdf.xacro; false: the cell has its own",
)
DESCRIPTION = [("robot_description", "display/robot_description")]
"""A separate topic: the scheduler checks distances with the description of the cell itself."""


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The display node; RViz and what it needs where asked for."""
    bringup = GRAPH.read(context)
    actions: list[LaunchDescriptionEntity] = [node_action(graph_node(DISPLAY), bringup)]
    if RVIZ.truth(context):
        own_description = ROBOT_STATE.truth(context)
        require_packages(
            "display.launch.py",
            ["rviz2", *(["robot_state_publisher"] if own_description else [])],
        )
        if own_description:
            actions.append(robot_state_publisher(bringup, robot_description(), DESCRIPTION))
        config = RVIZ_CONFIG.text(context) or str(resource_path("rviz/cell.rviz"))
        actions.append(_rviz(bringup, config, own_description))
    return actions


def _rviz(bringup: Bringup, config: str, own_description: bool) -> Node:
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=bringup.options.namespace,
        arguments=["-d", config],
        parameters=[{"use_sim_time": bringup.options.use_sim_time}],
        remappings=TRANSFORMS + (DESCRIPTION if own_description else []),
        output="screen",
        on_exit=Shutdown(reason="RViz was closed"),
    )


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, start the display."""
    own = [argument.declaration() for argument in (RVIZ, RVIZ_CONFIG, ROBOT_STATE)]
    return LaunchDescription(
        [*GRAPH.declarations(), *own, *transport(), OpaqueFunction(function=start)]
    )

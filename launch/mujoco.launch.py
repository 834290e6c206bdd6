"""The simulated MuJoCo cell and the nodes: the same as ``python -m dva_ros up``."""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import OpaqueFunction

from dva_ros.bringup.launch_arguments import GraphArguments
from dva_ros.bringup.launch_nodes import graph_actions, transport

GRAPH = GraphArguments(params_file="cell", with_cell=True)


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The cell and the four nodes."""
    return graph_actions(GRAPH.read(context))


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, start the nodes."""
    return LaunchDescription([*GRAPH.declarations(), *transport(), OpaqueFunction(function=start)])

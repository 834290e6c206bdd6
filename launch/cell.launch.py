"""The nodes for a cell that runs already: a real one, or another simulator's.

Its drivers and controllers are started by the cell's own launch file. Nothing moves before
``leapfrog_scheduler/engage`` is called (config/real.yaml).
"""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import OpaqueFunction

from dva_ros.bringup.launch_arguments import GraphArguments
from dva_ros.bringup.launch_nodes import graph_actions, transport

GRAPH = GraphArguments(params_file="real")


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The four nodes."""
    return graph_actions(GRAPH.read(context))


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, start the nodes."""
    return LaunchDescription([*GRAPH.declarations(), *transport(), OpaqueFunction(function=start)])

"""The embedded cell and the four nodes: the same list as ``python -m dva_ros up``.

Arguments are those of Nav2: namespace, use_sim_time, params_file, autostart, use_respawn,
log_level; and ``cell:=false`` for a real cell, ``display:=true`` for the imagined future.
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from dva_ros.graph import GraphOptions, environment
from dva_ros.resources import config_path
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity

ARGUMENTS = (
    ("namespace", "", "pushed before the nodes' names"),
    ("use_sim_time", "false", "take time from the cell's /clock"),
    ("params_file", str(config_path("cell")), "parameters of all nodes"),
    ("autostart", "true", "nodes configure and activate themselves"),
    ("use_respawn", "false", "start a node again when it dies"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
    ("cell", "true", "start the embedded cell; false: a real one is running"),
    ("display", "false", "publish the imagined future as an image"),
)


def nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """One action per node of the graph."""
    values = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    options = GraphOptions(
        params_file=Path(values["params_file"]),
        namespace=values["namespace"],
        log_level=values["log_level"],
        use_sim_time=_is_true(values["use_sim_time"]),
        with_cell=_is_true(values["cell"]),
        with_display=_is_true(values["display"]),
    )
    autostart = {"autostart": _is_true(values["autostart"])}
    return [
        Node(
            package="dva_ros",
            executable=node.name,
            name=node.name,
            namespace=options.namespace,
            parameters=[str(options.params_file), autostart, options.parameters(node)],
            arguments=["--ros-args", "--log-level", options.log_level],
            output="screen",
            respawn=_is_true(values["use_respawn"]),
            respawn_delay=2.0,
        )
        for node in options.nodes()
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, set the environment, start the nodes."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=text)
                for name, default, text in ARGUMENTS
            ),
            *(SetEnvironmentVariable(name, value) for name, value in environment().items()),
            OpaqueFunction(function=nodes),
        ]
    )


def _is_true(value: str) -> bool:
    return value.lower() in ("true", "1", "yes")

"""The cell in Gazebo with ros2_control, and the nodes.

The order is by events: the robot is created, joint_state_broadcaster is loaded, then the
controllers of arms and grippers, then the nodes start. A step that fails ends the launch.
"""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from dva_ros.bringup.launch_arguments import Argument, Bringup, GraphArguments, switch
from dva_ros.bringup.launch_nodes import graph_actions, robot_state_publisher, transport
from dva_ros.bringup.launch_order import after
from dva_ros.bringup.launch_packages import require_packages
from dva_ros.cell.description import robot_description
from dva_ros.resources import resource_path

GRAPH = GraphArguments(params_file="gazebo", use_sim_time=True)
WORLD = Argument("world", "", "SDF file; empty: worlds/cell.sdf")
HEADLESS = switch("headless", False, "no window; cameras are still rendered")
PACKAGES = (
    "ros_gz_sim",
    "ros_gz_bridge",
    "gz_ros2_control",
    "controller_manager",
    "joint_state_broadcaster",
    "joint_trajectory_controller",
    "robot_state_publisher",
)
BROADCASTER = "joint_state_broadcaster"
CONTROLLERS = (
    "left_arm_controller",
    "right_arm_controller",
    "left_gripper_controller",
    "right_gripper_controller",
)
MANAGER_TIMEOUT_S = 120
"""Gazebo's first start loads slowly."""


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Gazebo, the bridge and the robot; the rest by events."""
    require_packages("gazebo.launch.py", PACKAGES)
    bringup = GRAPH.read(context)
    world = WORLD.text(context) or str(resource_path("worlds/cell.sdf"))
    description = robot_description(hardware="gazebo", namespace=bringup.options.namespace)
    nodes = graph_actions(bringup)
    controllers = after(_spawner(bringup, *CONTROLLERS), nodes)
    broadcaster = after(_spawner(bringup, BROADCASTER), controllers)
    return [
        _gazebo(world, HEADLESS.truth(context)),
        _bridge(bringup),
        robot_state_publisher(bringup, description),
        *after(_create(bringup), broadcaster),
    ]


def _gazebo(world: str, headless: bool) -> IncludeLaunchDescription:
    options = "-r -s --headless-rendering" if headless else "-r"
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            [FindPackageShare("ros_gz_sim"), "/launch/gz_sim.launch.py"]
        ),
        launch_arguments={"gz_args": f"{options} {world}", "on_exit_shutdown": "true"}.items(),
    )


def _bridge(bringup: Bringup) -> Node:
    return Node(
        package="ros_gz_bridge",
        executable="parameter_bridge",
        name="ros_gz_bridge",
        namespace=bringup.options.namespace,
        parameters=[
            {
                "config_file": str(resource_path("config/gz_bridge.yaml")),
                "use_sim_time": bringup.options.use_sim_time,
            }
        ],
        output="screen",
        respawn=bringup.respawn,
    )


def _create(bringup: Bringup) -> Node:
    return Node(
        package="ros_gz_sim",
        executable="create",
        namespace=bringup.options.namespace,
        arguments=["-topic", "robot_description", "-name", "dva_cell"],
        output="screen",
    )


def _spawner(bringup: Bringup, *controllers: str) -> Node:
    timeout = ["--controller-manager-timeout", str(MANAGER_TIMEOUT_S)]
    return Node(
        package="controller_manager",
        executable="spawner",
        namespace=bringup.options.namespace,
        arguments=[*controllers, "--controller-manager", "controller_manager", *timeout],
        output="screen",
    )


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, start Gazebo and what follows."""
    own = [argument.declaration() for argument in (WORLD, HEADLESS)]
    return LaunchDescription(
        [*GRAPH.declarations(), *own, *transport(), OpaqueFunction(function=start)]
    )

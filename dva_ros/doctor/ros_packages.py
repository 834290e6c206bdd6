"""Checks ROS 2: the distribution, the middleware, packages and programs."""

from __future__ import annotations

import importlib
import os
import shutil

from .check import Check, Section, Status
from .python_packages import SETUP, Dependency, look_at

ON_A_ROS_INSTALLATION = "apt install ros-<distro>-{0}, on a ROS 2 installation"

ROS_PACKAGES = (
    Dependency("rclpy", "rclpy", "all nodes"),
    Dependency("sensor_msgs.msg", "sensor_msgs", "images and joint states"),
    Dependency("trajectory_msgs.msg", "trajectory_msgs", "motion for the controllers"),
    Dependency("diagnostic_msgs.msg", "diagnostic_msgs", "/diagnostics"),
    Dependency("lifecycle_msgs.msg", "lifecycle_msgs", "lifecycle nodes"),
    Dependency("dva_msgs.msg", "dva_msgs", "messages between the nodes"),
    Dependency(
        "launch_ros",
        "launch-ros",
        "ros2 launch; python -m dva_ros up starts the same nodes without it",
        required=False,
        remedy=ON_A_ROS_INSTALLATION.format("launch-ros"),
    ),
)

PROGRAMS = (
    ("ros2", "ros2 topic, ros2 param, ros2 lifecycle", "ros2cli"),
    ("rviz2", "display of the cell and of the predicted clips", "rviz2"),
)


def ros_section() -> Section:
    """The distribution, the middleware, message packages and programs."""
    packages = tuple(look_at(package) for package in ROS_PACKAGES)
    programs = tuple(_program(*program) for program in PROGRAMS)
    return Section("ROS 2", (_distribution(), _middleware(), *packages, *programs))


def _distribution() -> Check:
    distribution = os.environ.get("ROS_DISTRO")
    if not distribution:
        return Check(
            "distribution", Status.OPTIONAL, "ROS_DISTRO is not set", remedy="source env.sh"
        )
    wheels = os.environ.get("DVA_ROS_WHEELS") == distribution
    origin = "wheels" if wheels else "installation"
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    return Check("distribution", Status.OK, f"{distribution} ({origin}), domain {domain}")


def _middleware() -> Check:
    purpose = "transport between the nodes"
    try:
        rclpy = importlib.import_module("rclpy")
        return Check(
            "middleware", Status.OK, str(rclpy.get_rmw_implementation_identifier()), purpose
        )
    except Exception as error:  # a missing or broken middleware raises anything
        return Check("middleware", Status.MISSING, f"not usable: {error}", purpose, SETUP)


def _program(name: str, purpose: str, package: str) -> Check:
    path = shutil.which(name)
    if path:
        return Check(name, Status.OK, path, purpose)
    remedy = ON_A_ROS_INSTALLATION.format(package)
    return Check(name, Status.OPTIONAL, "not installed", purpose, remedy)

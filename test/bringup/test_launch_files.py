"""Every launch file loads, has Nav2's arguments, starts what it says, and says what is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip(
    "launch_ros", reason="launch is not installed: it comes with a ROS 2 installation"
)

from ament_prefix import add_package
from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch_ros.actions import Node
from launched import LAUNCH

from dva_ros.errors import UserError

NAV2 = {"namespace", "use_sim_time", "params_file", "autostart", "use_respawn", "log_level"}
FILES = ("cell", "mujoco", "gazebo", "display")
NODES = ["camera_context", "video_predictor", "inverse_dynamics", "leapfrog_scheduler"]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{name}_launch", LAUNCH / f"{name}.launch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def started(name: str, **arguments: str) -> list[Any]:
    """What a launch file starts with these arguments, the others at their defaults."""
    module = load(name)
    context = LaunchContext()
    for entity in module.generate_launch_description().entities:
        if isinstance(entity, DeclareLaunchArgument):
            entity.execute(context)
    context.launch_configurations.update(arguments)
    return list(module.start(context))


def programs(entities: list[Any]) -> list[str]:
    return [entity.node_executable for entity in entities if isinstance(entity, Node)]


@pytest.mark.parametrize("name", FILES)
def test_every_file_has_the_arguments_of_nav2(name: str) -> None:
    entities = load(name).generate_launch_description().entities
    declared = {e.name for e in entities if isinstance(e, DeclareLaunchArgument)}
    assert declared >= NAV2


@pytest.mark.parametrize("name", FILES)
def test_a_parameters_file_that_does_not_exist_is_named(
    name: str, prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in (*load("gazebo").PACKAGES, "rviz2"):
        add_package(prefix, package)
    with pytest.raises(UserError, match=r"config/absent\.yaml not found"):
        started(name, params_file="absent")


def test_a_real_cell_gets_the_four_nodes_and_no_embedded_cell() -> None:
    assert programs(started("cell", autostart="false")) == NODES


def test_the_embedded_cell_comes_with_the_four_nodes() -> None:
    assert programs(started("mujoco", autostart="false")) == ["cell", *NODES]


def test_nodes_that_activate_themselves_start_one_after_the_other() -> None:
    assert programs(started("mujoco")) == ["cell"]


def test_the_display_without_rviz_needs_no_other_package() -> None:
    assert programs(started("display", rviz="false")) == ["imagination_display"]


@pytest.mark.parametrize("name, missing", [("gazebo", "ros_gz_sim"), ("display", "rviz2")])
def test_a_missing_package_is_named_with_what_installs_it(
    name: str, missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    with pytest.raises(UserError) as caught:
        started(name)
    assert missing in str(caught.value)
    assert f"apt install ros-jazzy-{missing.replace('_', '-')}" in str(caught.value)

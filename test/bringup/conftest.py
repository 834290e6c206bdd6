"""Runs `ros2 launch` as users do: the programs that a launch file starts are found by package."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

ABSENT = "comes with a ROS 2 installation; the wheels have none"


@pytest.fixture(scope="session")
def launch_is_installed() -> None:
    """Skips with the reason where it is not."""
    # Not `launch`: the project's folder of that name can be imported.
    if importlib.util.find_spec("launch_ros") is None:
        pytest.skip(f"launch is not installed: it {ABSENT}")


@pytest.fixture(scope="session")
def ros2() -> str:
    """The path of the command."""
    found = shutil.which("ros2")
    if found is None or importlib.util.find_spec("ros2launch") is None:
        pytest.skip(f"ros2 launch is not installed: it {ABSENT}")
    return found


@pytest.fixture
def prefix(launch_is_installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ament prefix, searched first, in which this source tree is the package dva_ros."""
    from ament_prefix import add_package, add_program

    from dva_ros.bringup.graph import GRAPH

    prefix = tmp_path / "prefix"
    programs = add_package(prefix, "dva_ros")
    for node in GRAPH:
        add_program(
            programs,
            node.name,
            f"#!{sys.executable}\nimport sys\nfrom {node.module} import main\nsys.exit(main())\n",
        )
    others = os.environ.get("AMENT_PREFIX_PATH", "")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{prefix}{os.pathsep}{others}")
    return prefix

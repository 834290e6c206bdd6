"""launch/cell.launch.py lists the same nodes as ``up``, where launch is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip(
    "launch_ros", reason="launch is not installed: it comes with a ROS 2 installation"
)

from launch_ros.actions import Node

from dva_ros.graph import GraphOptions
from launch import LaunchContext

FILE = Path(__file__).resolve().parents[2] / "launch" / "cell.launch.py"


@pytest.mark.parametrize("with_cell", [True, False])
def test_every_node_of_the_graph_is_launched(with_cell: bool) -> None:
    spec = importlib.util.spec_from_file_location("cell_launch", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context = LaunchContext()
    for name, default, _ in module.ARGUMENTS:
        context.launch_configurations[name] = default
    context.launch_configurations["cell"] = str(with_cell)
    actions = module.nodes(context)
    assert all(isinstance(action, Node) for action in actions)
    expected = [node.name for node in GraphOptions(FILE, with_cell=with_cell).nodes()]
    assert [action.node_executable for action in actions] == expected
    assert module.generate_launch_description().entities

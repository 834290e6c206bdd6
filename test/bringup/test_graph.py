"""The real nodes under the real launch: order, lifecycle, respawn, death, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dva_ros.graph import checkpoint_overrides
from dva_ros.resources import config_path

pytestmark = [pytest.mark.ros, pytest.mark.slow]

from launched import Launched, is_running  # noqa: E402

DESCRIPTION = Path(__file__).resolve().parent / "graph_description.py"
NODE_S = 120.0
STOP_S = 30.0


@pytest.fixture
def params_file(tiny_models: Path, tmp_path: Path) -> Path:
    """config/cell.yaml with untrained checkpoints."""
    parameters = yaml.safe_load(config_path("cell").read_text())
    for node, values in checkpoint_overrides(tiny_models).items():
        parameters[f"/**/{node}"]["ros__parameters"].update(values)
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(parameters))
    return path


def test_the_graph_starts_in_order_recovers_and_ends_with_status_0(
    prefix: Path, params_file: Path
) -> None:
    """What is tested stands in graph_description.py.

    It runs in a process of its own: `launch` wants the main thread, and the pytest plugin of
    Jazzy's launch_testing does not know today's pytest.
    """
    pytest.importorskip("launch_testing", reason="launch_testing is not installed")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "launch_testing.launch_test",
            str(DESCRIPTION),
            f"params_file:={params_file}",
        ],
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-8000:]


def test_without_respawn_the_death_of_a_node_ends_the_launch_with_status_1(
    ros2: str, prefix: Path
) -> None:
    launch = Launched(ros2, "cell.launch.py")
    try:
        launch.wait_for_text("/camera_context is active", NODE_S)
        os.kill(launch.pid("camera_context"), signal.SIGKILL)
        assert launch.wait(NODE_S) == 1
        assert "camera_context-1 has ended with status -9" in launch.text
        assert not [pid for _, pid in launch.started if is_running(pid)]
    finally:
        launch.interrupt()


def test_a_launch_that_is_terminated_leaves_no_node_behind(ros2: str, prefix: Path) -> None:
    launch = Launched(ros2, "cell.launch.py")
    try:
        launch.wait_for_text("/camera_context is active", NODE_S)
        launch.process.send_signal(signal.SIGTERM)
        launch.wait(NODE_S)
        launch.wait_for(lambda: not any(is_running(pid) for _, pid in launch.started), STOP_S)
    finally:
        launch.interrupt()

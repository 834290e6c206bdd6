"""The real nodes under the real launch: order, lifecycle, respawn, death, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dva_ros.bringup.graph import checkpoint_overrides
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
    python_path = os.environ.get("PYTHONPATH", "")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "launch_testing.launch_test",
            str(DESCRIPTION),
            f"params_file:={params_file}",
        ],
        env={**os.environ, "PYTHONPATH": f"{DESCRIPTION.parent}{os.pathsep}{python_path}"},
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


def test_without_autostart_a_lifecycle_manager_starts_the_nodes(
    ros2: str, prefix: Path, params_file: Path
) -> None:
    """All stay unconfigured until they are asked; then the graph works as with autostart."""
    from lifecycle_msgs.msg import State, Transition
    from lifecycles import Lifecycles

    from dva_msgs.msg import ActionChunk
    from dva_ros.bringup.graph import DISPLAY, GRAPH
    from dva_ros.ros import qos

    nodes = [node.name for node in GRAPH if node.name != DISPLAY]
    graph = Lifecycles("/manual", nodes)
    chunks: list[ActionChunk] = []
    graph.node.create_subscription(
        ActionChunk, "/manual/inverse_dynamics/chunk", chunks.append, qos.COMMAND
    )
    launch = Launched(
        ros2, "mujoco.launch.py", "autostart:=false", "namespace:=manual",
        f"params_file:={params_file}",
    )  # fmt: skip

    def states() -> list[int | None]:
        return [graph.state(name) for name in nodes]

    try:
        unconfigured = [State.PRIMARY_STATE_UNCONFIGURED] * len(nodes)
        graph.until(lambda: states() == unconfigured, NODE_S)
        graph.spin(2.0)
        assert states() == unconfigured
        assert not graph.node.count_publishers("/manual/joint_states")
        for place, name in enumerate(nodes):
            graph.change(name, Transition.TRANSITION_CONFIGURE)
            assert graph.state(name) == State.PRIMARY_STATE_INACTIVE
            graph.change(name, Transition.TRANSITION_ACTIVATE)
            assert graph.is_active(name)
            assert states()[place + 1 :] == unconfigured[place + 1 :]
        graph.until(lambda: len(chunks) >= 3)
        assert launch.interrupt() == 0
    finally:
        launch.interrupt()
        graph.close()

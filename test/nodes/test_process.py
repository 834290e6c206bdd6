"""A node's process, started by hand as docs/nodes.md says: signals end it in an orderly way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_node_beside_library_threads_ends_in_order(ros_domain: int, number: int) -> None:
    """Threads that NumPy starts on import block no signals: one of them may be chosen for it. The
    process has slept (SIGSTOP) before, which wakes system calls, too."""
    node = subprocess.Popen(
        [sys.executable, "-m", "dva_ros.nodes.camera_context"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    )
    assert node.stdout is not None
    before = []
    for line in node.stdout:
        before.append(line)
        if "no image yet" in line:
            break
    assert len(os.listdir(f"/proc/{node.pid}/task")) > 2
    for step in (signal.SIGSTOP, signal.SIGCONT):
        node.send_signal(step)
        time.sleep(0.3)
    node.send_signal(number)
    after, _ = node.communicate(timeout=20)
    assert node.returncode == 0, "".join(before) + after
    assert f"{signal.Signals(number).name}: stopping" in after

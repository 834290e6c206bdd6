"""A node's process, started by hand: signals end it in an orderly way."""

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


STARTER = """
import os, subprocess, sys
from dva_ros.bringup.supervisor import DIE_WITH_PARENT
environment = {**os.environ, DIE_WITH_PARENT: str(os.getpid())}
child = subprocess.Popen(sys.argv[2:], env=environment)
if sys.argv[1] == "stay":
    child.wait()
"""
NODE = """
import sys
sys.stdin.readline()  # as imports, which take time
from dva_ros.ros.process import die_with_parent
die_with_parent()
print("lives", flush=True)
"""


@pytest.mark.parametrize("wrapper", [[], ["sh", "-c", '"$@"; true', "sh"]])
@pytest.mark.parametrize("starter, said", [("stay", "lives\n"), ("end", "")])
def test_a_node_whose_starter_ended_during_its_imports_does_not_live_on(
    wrapper: list[str], starter: str, said: str
) -> None:
    """Also where a shell or a debugger stands between them (``--launch-prefix``)."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, starter, *wrapper, sys.executable, "-c", NODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if starter == "end":
        process.wait(20)
    out, errors = process.communicate("go\n", timeout=20)
    assert out == said, errors
    assert (f"process {process.pid}, which started this one, has ended" in errors) == (not said)

"""The robot's machine and the predictor's: context, requests and clips go over the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from two_machines import TwoMachines  # noqa: E402

from dva_ros.resources import resource_path  # noqa: E402

HERE = Path(__file__).resolve().parent
REQUESTS = 15
FRAME_BYTES = 80 * 64 * 3
CLIP_FRAMES = 8


@pytest.fixture
def machines() -> Iterator[TwoMachines]:
    try:
        made = TwoMachines()
    except RuntimeError as error:
        pytest.skip(str(error))
    yield made
    made.close()


@pytest.fixture
def ask(
    machines: TwoMachines, tiny_models: Path, ros_domain: int
) -> Iterator[Callable[[int], dict[str, float]]]:
    """Has the robot's machine ask the other's predictor so many times."""
    profile = str(resource_path("config/fastdds_network.xml"))
    environment = {
        **os.environ,
        "FASTRTPS_DEFAULT_PROFILES_FILE": profile,
        "FASTDDS_DEFAULT_PROFILES_FILE": profile,
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
        "PYTHONPATH": f"{HERE}:{os.environ.get('PYTHONPATH', '')}",
    }
    checkpoint = ["--ros-args", "-p", f"checkpoint:={tiny_models / 'video'}"]
    predictor = subprocess.Popen(
        [*machines.on(1), sys.executable, "-m", "dva_ros.nodes.video_predictor", *checkpoint],
        env=environment,
    )
    robot = subprocess.Popen(
        [*machines.on(0), sys.executable, str(HERE / "robot_pc.py")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert robot.stdin is not None
    assert robot.stdout is not None

    def ask(times: int) -> dict[str, float]:
        assert robot.stdin is not None
        assert robot.stdout is not None
        robot.stdin.write(f"{times}\n")
        robot.stdin.flush()
        answer = json.loads(robot.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    try:
        assert robot.stdout.readline() == "ready\n"
        yield ask
    finally:
        robot.stdin.close()  # which ends it
        robot.wait(timeout=20)
        predictor.terminate()
        predictor.wait(timeout=20)


def test_frames_and_clips_cross_the_network_and_survive_lost_packets(
    machines: TwoMachines, ask: Callable[[int], dict[str, float]]
) -> None:
    before = machines.received_bytes(0)
    whole = ask(REQUESTS)
    assert whole["answered"] == REQUESTS
    assert machines.received_bytes(0) - before > REQUESTS * CLIP_FRAMES * FRAME_BYTES
    try:
        machines.lose(percent=5)
    except RuntimeError as error:
        pytest.skip(f"without loss: {whole}; with loss not tried: {error}")
    lossy = ask(REQUESTS)
    print(f"without loss {whole}; with 5 % of all packets lost {lossy}")
    assert lossy["answered"] >= 0.8 * REQUESTS

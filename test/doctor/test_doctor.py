"""The doctor finds what is there, names what is missing, and compares checkpoints."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import save_file

from dva_ros.doctor.check import Check, Section, Status, is_healthy
from dva_ros.doctor.checkpoints import checkpoint_section
from dva_ros.doctor.python_packages import Dependency, look_at
from dva_ros.spec import EMBEDDED_CELL, CellSpec


def write_checkpoint(folder: Path, spec: CellSpec) -> None:
    folder.mkdir(parents=True)
    values = {"model": {"spec": json.loads(json.dumps(spec.to_dict()))}}
    (folder / "config.yaml").write_text(yaml.safe_dump(values))
    save_file({"weight": np.zeros(3, np.float32)}, folder / "model.safetensors")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder with one checkpoint of the simulated cell."""
    write_checkpoint(tmp_path / "cpu" / "video", EMBEDDED_CELL)
    return tmp_path


def test_a_checkpoint_of_the_cell_is_fine(models: Path) -> None:
    (check,) = checkpoint_section(models).checks
    assert (check.name, check.status) == ("cpu/video", Status.OK)


def test_a_checkpoint_of_another_cell_names_the_field(models: Path) -> None:
    (check,) = checkpoint_section(models, replace(EMBEDDED_CELL, frame_period_s=0.2)).checks
    assert check.status is Status.MISSING
    assert "frame_period_s" in check.detail


def test_damaged_weights_are_said_not_raised(models: Path) -> None:
    (models / "cpu/video/model.safetensors").write_bytes(b"half a file")
    (check,) = checkpoint_section(models).checks
    assert check.status is Status.MISSING
    assert "model.safetensors" in check.detail


@pytest.mark.parametrize("text", ["", "a: [", "model: {}", "spec: {cameras: 3}"])
def test_a_damaged_config_is_said_not_raised(models: Path, text: str) -> None:
    (models / "cpu/video/config.yaml").write_text(text)
    (check,) = checkpoint_section(models).checks
    assert check.status is Status.MISSING
    assert "config.yaml" in check.detail


def test_no_checkpoint_says_how_to_train_one(tmp_path: Path) -> None:
    (check,) = checkpoint_section(tmp_path).checks
    assert check.status is Status.MISSING
    assert "train" in check.remedy


def test_a_missing_package_says_what_it_is_for_and_how_to_get_it() -> None:
    check = look_at(Dependency("no_such_module", "no-such", "flying", remedy="make setup"))
    assert check == Check(
        "no_such_module", Status.MISSING, "not installed", "flying", "make setup"
    )


def test_a_missing_optional_package_leaves_the_machine_healthy() -> None:
    check = look_at(Dependency("no_such_module", "no-such", "flying", required=False))
    assert is_healthy([Section("Python", (check,))])


@pytest.mark.slow
def test_the_verb_writes_its_findings_and_its_status(tmp_path: Path) -> None:
    file = tmp_path / "findings.json"
    process = subprocess.run(
        [sys.executable, "-m", "dva_ros", "doctor", "--no-topics", "--json", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    findings = json.loads(file.read_text())
    assert process.returncode == (0 if findings["healthy"] else 1), process.stderr
    titles = [section["title"] for section in findings["sections"]]
    assert titles == ["Python", "ROS 2", "Hardware", "Checkpoints"]
    assert findings["topics"] is None
    checks = {c["name"]: c for section in findings["sections"] for c in section["checks"]}
    assert checks["numpy"]["status"] == "ok"
    renders = [name for name in checks if name.startswith("MUJOCO_GL=")]
    assert any(checks[name]["status"] == "ok" for name in renders)


def test_a_file_that_cannot_be_written_is_a_user_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import dva_ros.__main__ as cli
    from dva_ros.doctor import hardware

    monkeypatch.setattr(hardware, "RENDER_BACKENDS", ())
    assert cli.main(["doctor", "--no-topics", "--json", "/nowhere/findings.json"]) == 2
    assert "/nowhere/findings.json cannot be written" in capsys.readouterr().err


@pytest.mark.ros
def test_topics_of_the_running_graph_are_measured() -> None:
    import rclpy
    from std_msgs.msg import String

    from dva_ros.doctor.client.topics import observe_graph

    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("talker", context=context)
    publisher = node.create_publisher(String, "talk", 10)
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            publisher.publish(String(data="hello"))
            time.sleep(0.05)

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        graph = observe_graph(2.0)
    finally:
        stop.set()
        talker.join()
        node.destroy_node()
        rclpy.shutdown(context=context)
    assert "/talker" in graph.nodes
    topic = next(topic for topic in graph.topics if topic.name == "/talk")
    assert (topic.kind, topic.publishers) == ("std_msgs/msg/String", 1)
    assert topic.rate_hz is not None
    assert 5 < topic.rate_hz < 25

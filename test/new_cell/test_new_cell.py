"""new-cell and doctor --config on live topics: the simulated cell's and another robot's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from seven_joint_arms import ARM_JOINTS, JOINTS, LIFT, urdf

import dva_ros.__main__ as cli
from dva_ros.errors import UserError

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

import rclpy  # noqa: E402
from emulated_controllers import EmulatedControllers  # noqa: E402
from ros_graph import Graph  # noqa: E402
from sensor_msgs.msg import CompressedImage, JointState  # noqa: E402
from sensor_msgs.msg import Image as ImageMsg  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from dva_msgs.msg import ContextFrame  # noqa: E402
from dva_ros.doctor.check import Status  # noqa: E402
from dva_ros.doctor.client.config_check import read_config  # noqa: E402
from dva_ros.doctor.configuration import configuration_section  # noqa: E402
from dva_ros.doctor.live_cell import live_section  # noqa: E402
from dva_ros.new_cell.client.probe import look  # noqa: E402
from dva_ros.nodes.camera_context import CameraContextNode  # noqa: E402
from dva_ros.nodes.cell import CellNode  # noqa: E402
from dva_ros.nodes.leapfrog_scheduler import LeapfrogSchedulerNode  # noqa: E402
from dva_ros.ros import qos  # noqa: E402
from dva_ros.ros.conversions import header, image_to_msg, seconds_of  # noqa: E402

MEASURE = ["--measure", "1"]


@contextmanager
def spinning(graph: Graph) -> Iterator[None]:
    """The graph is spun beside the test."""
    ended = threading.Event()

    def spin() -> None:
        while not ended.is_set():
            graph.spin(0.02)

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def parameters(file: Path, key: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text())[key]["ros__parameters"]
    return content


def test_the_embedded_cell_gets_a_configuration_that_its_nodes_start_with(
    graph: Graph, tmp_path: Path
) -> None:
    graph.add_active(CellNode())
    assert cli.main(["new-cell", "--output", str(tmp_path), *MEASURE]) == 0
    file = tmp_path / "cell.yaml"
    assert parameters(file, "/**")["cameras"] == ["overhead", "front"]
    assert parameters(file, "/**/video_predictor")["checkpoint"].endswith("models/cpu/video")
    findings = tmp_path / "findings.json"
    cli.main(["doctor", "--config", str(file), "--json", str(findings), *MEASURE])
    sections = json.loads(findings.read_text())["sections"]
    assert [section["title"].split()[0] for section in sections] == [
        "Configuration",
        "Motion",
        "Running",
    ]
    checks = [check for section in sections for check in section["checks"]]
    # A busy machine makes the embedded cameras slow: that is said, and is no fault of the file.
    assert [
        check
        for check in checks
        if check["status"] == "missing" and not check["name"].startswith("camera ")
    ] == []
    assert "have every joint once" in {check["detail"] for check in checks}

    options = {"cli_args": ["--ros-args", "--params-file", str(file)]}
    frames = graph.collect(ContextFrame, "camera_context/context", qos.FRAMES)
    graph.add_active(LeapfrogSchedulerNode(**options))
    graph.add_active(CameraContextNode(**options))
    graph.spin_until(lambda: any(not any(frame.camera_missing) for frame in frames))


class SecondRobot:
    """Drivers of three cameras, joints and two controllers."""

    def __init__(self, graph: Graph) -> None:
        node = self.node = graph.add(rclpy.create_node("drivers"))
        graph.add(rclpy.create_node("controller_manager")).declare_parameter("update_rate", 50)
        graph.add(rclpy.create_node("starboard_arm")).declare_parameter(
            "interpolate_from_desired_state", False
        )
        self.position = dict.fromkeys((*JOINTS, LIFT), 0.1)
        images: dict[str, type[Any]] = {
            "top/image_raw": ImageMsg,
            "side/image_raw/compressed": CompressedImage,
            "wrist/image_raw": ImageMsg,
        }
        self._images = {
            topic: node.create_publisher(kind, topic, qos.SENSOR) for topic, kind in images.items()
        }
        self._joints = node.create_publisher(JointState, "joint_states", qos.SENSOR)
        description = node.create_publisher(String, "robot_description", qos.STATE)
        description.publish(String(data=urdf()))
        EmulatedControllers(
            node, {"port_arm": ARM_JOINTS[0], "starboard_arm": ARM_JOINTS[1]}
        ).start()
        node.create_timer(0.05, self._publish)

    def _publish(self) -> None:
        now = seconds_of(self.node.get_clock().now())
        picture = np.zeros((120, 160, 3), np.uint8)
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        for topic, publisher in self._images.items():
            if topic.endswith("compressed"):
                compressed = CompressedImage(header=header(now), format="jpeg")
                compressed.data.frombytes(jpeg)
                publisher.publish(compressed)
            else:
                publisher.publish(image_to_msg(picture, now - 0.015, "camera"))
        names, positions = zip(*self.position.items(), strict=True)
        self._joints.publish(JointState(header=header(now), name=names, position=positions))


def test_another_robot_is_described_and_what_is_wrong_with_it_is_said(
    graph: Graph, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    robot = SecondRobot(graph)
    output = ["--output", str(tmp_path)]
    with spinning(graph):
        assert (
            cli.main(["new-cell", *output, "--camera", "overhead=/top/image_raw", *MEASURE]) == 0
        )
        assert "no checkpoint fits" in capsys.readouterr().out
        second = graph.client.create_publisher(JointState, "joint_states", 1)
        live = look(1.0)
        graph.client.destroy_publisher(second)
    file = tmp_path / "cell.yaml"
    assert parameters(file, "/**")["joints"] == list(JOINTS)
    context = parameters(file, "/**/camera_context")
    assert (context["native_heights"], context["image_topics"]) == ([120], ["top/image_raw"])
    scheduler = parameters(file, "/**/leapfrog_scheduler")
    assert scheduler["controllers"] == ["port_arm", "starboard_arm"]
    assert scheduler["controller_period_s"] == pytest.approx(0.02)
    assert scheduler["arm_prefixes"] == ["port_", "starboard_"]

    by_topic = {image.topic: image for image in live.images}
    side, top = by_topic["side/image_raw/compressed"], by_topic["top/image_raw"]
    assert (side.compressed, side.height, side.width, side.encoding) == (True, 120, 160, "jpeg")
    assert top.timing is not None and side.timing is not None
    assert 10 < top.timing.rate_hz < 25
    assert top.timing.latency_p50_s > side.timing.latency_p50_s, "its stamps are 15 ms older"
    assert robot.position.keys() == live.joint_states[0].positions.keys()

    config = read_config(file)
    assert config.problems == ()
    checks = live_section(config, live).checks
    wrong = [
        check
        for check in checks
        if check.status is Status.MISSING and not check.name.startswith("camera ")
    ]  # a busy machine makes these drivers slow
    assert [check.name for check in wrong] == ["joint_states", "controller starboard_arm"]
    assert "2 publishers (/drivers, /test_client): its joints jump" in wrong[0].detail
    assert "interpolate_from_desired_state is false" in wrong[1].detail


def test_what_the_nodes_would_not_take_is_said(tmp_path: Path) -> None:
    from dva_ros.resources import config_path

    text = config_path("cell").read_text()
    for old, new in (
        ("tolerance_s", "tolerence_s"),
        ("capacity: 256", "capacity: 256.5"),
        ("horizon: 8", "horizon: 5000"),
        ("/**/inverse_dynamics", "/**/inverse_dynamic"),
        ("threads: 1", "threads: 1\n    frame_period_s: 0.2"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "cell.yaml"
    file.write_text(text)
    problems = read_config(file).problems
    for said in (
        "camera_context: parameter tolerence_s is unknown here and has no effect; did you mean "
        "tolerance_s?",
        "parameter capacity of camera_context",
        "parameter horizon of leapfrog_scheduler",
        "/**/inverse_dynamic: no node of dva_ros has this name; did you mean "
        "/**/inverse_dynamics?",
        "frame_period_s differ: camera_context has 0.1, video_predictor has 0.2",
    ):
        assert any(said in problem for problem in problems), (said, problems)


def test_a_deprecated_parameter_name_is_reported_and_used(tmp_path: Path) -> None:
    from dva_ros.resources import config_path

    text, file = config_path("cell").read_text(), tmp_path / "cell.yaml"
    assert "execution_horizon: 2" in text
    file.write_text(text.replace("execution_horizon: 2", "execute_frames: 4", 1))
    config = read_config(file)
    assert config.problems == ()
    (note,) = config.deprecated
    assert note == (
        "parameter execute_frames of leapfrog_scheduler is deprecated; use execution_horizon"
    )
    assert config.scheduler is not None and config.scheduler.execution_horizon == 4
    checks = configuration_section(config, file).checks
    (check,) = (check for check in checks if check.detail == note)
    assert check.status is Status.OPTIONAL
    both = "execution_horizon: 2\n    execute_frames: 4"
    file.write_text(text.replace("execution_horizon: 2", both, 1))
    (problem, *_) = read_config(file).problems
    assert "execute_frames is the deprecated name of execution_horizon" in problem


def test_a_speed_that_not_all_nodes_have_is_said_and_one_that_all_have_is_the_grids(
    tmp_path: Path,
) -> None:
    from dva_ros.resources import config_path

    text, file = config_path("cell").read_text(), tmp_path / "cell.yaml"
    file.write_text(text.replace("horizon: 8", "horizon: 8\n    time_scaling: 0.5", 1))
    (problem,) = read_config(file).problems
    assert "time_scaling differ: camera_context has 1.0, leapfrog_scheduler has 0.5" in problem
    file.write_text(f"/**:\n  ros__parameters:\n    time_scaling: 0.5\n{text}")
    config = read_config(file)
    assert config.problems == ()
    assert config.spec is not None
    assert config.grid is not None
    assert (config.spec.frame_period_s, config.grid.frame_period_s) == (0.1, 0.2)


def with_recorder(file: Path, key: str, **parameters: object) -> Path:
    """config/cell.yaml with a section of the recorder."""
    from dva_ros.resources import config_path

    section = yaml.safe_dump({key: {"ros__parameters": parameters}})
    file.write_text(config_path("cell").read_text() + section)
    return file


def test_a_section_of_the_recorder_is_checked_like_the_others(tmp_path: Path) -> None:
    file = tmp_path / "cell.yaml"
    topics = ["notes=std_msgs/String"]
    good = read_config(with_recorder(file, "/**/recorder", task="lift", extra_topics=topics))
    assert good.problems == ()
    assert good.recorder is not None
    assert (good.recorder.task, good.recorder.extra_topics) == ("lift", tuple(topics))
    relative = read_config(with_recorder(file, "recorder", task="lift")).problems
    assert relative == ("recorder counts in one namespace only; write /**/recorder",)
    bad = {"tusk": "lift", "compression": "zip", "joints": ["a", "b"]}
    problems = read_config(with_recorder(file, "/**/recorder", **bad)).problems
    for said in (
        "recorder: parameter tusk is unknown here and has no effect; did you mean task?",
        "parameter compression of recorder is 'zip'; allowed: none, lz4, zstd",
        "joint_names differ: camera_context has",
    ):
        assert any(said in problem for problem in problems), (said, problems)


def test_doctor_says_that_the_recorders_cameras_do_not_fit(tmp_path: Path) -> None:
    topics = {"image_topics": ["a", "b", "c"]}
    file = with_recorder(tmp_path / "cell.yaml", "/**/recorder", **topics)
    checks = configuration_section(read_config(file), file).checks
    (wrong,) = (check for check in checks if check.status is Status.MISSING)
    assert wrong.name == "recorder"
    assert "image_topics has 3 entries" in wrong.detail


def test_a_value_that_must_be_filled_in_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cell.yaml"
    file.write_text("/**:\n  ros__parameters:\n    cameras: null\n")
    assert read_config(file).problems == ("/**: cameras must be filled in",)


def test_the_shipped_configuration_has_no_problem_and_a_broken_file_is_a_user_error(
    tmp_path: Path,
) -> None:
    from dva_ros.resources import config_path

    assert read_config(config_path("cell")).problems == ()
    file = tmp_path / "broken.yaml"
    file.write_text("a: [")
    with pytest.raises(UserError, match="cannot be read"):
        read_config(file)

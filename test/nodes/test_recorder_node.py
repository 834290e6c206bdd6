"""``recorder``: what it records is what the live node saw; marks, refusals, sudden ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from rclpy.parameter import Parameter  # noqa: E402
from robot_inputs import RobotInputs  # noqa: E402
from ros_graph import Graph  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from dva_msgs.msg import ContextFrame as ContextFrameMsg  # noqa: E402
from dva_ros.context.frame import ContextFrame  # noqa: E402
from dva_ros.nodes.camera_context import CameraContextNode  # noqa: E402
from dva_ros.nodes.recorder import RecorderNode  # noqa: E402
from dva_ros.recordings.bag import open_bag  # noqa: E402
from dva_ros.recordings.bag_source import BagSource  # noqa: E402
from dva_ros.recordings.marks import MARKS, Mark, MarkKind  # noqa: E402
from dva_ros.recordings.message_decoding import Decoder  # noqa: E402
from dva_ros.recordings.replay import EpisodeLabel, Replay, ReplayOptions  # noqa: E402
from dva_ros.recordings.settings import CellSettings, read_settings  # noqa: E402
from dva_ros.recordings.topic_map import map_topics  # noqa: E402
from dva_ros.ros import qos  # noqa: E402
from dva_ros.ros.conversions import context_frame_from_msg  # noqa: E402


class Frames:
    """Keeps what a replay gives."""

    def __init__(self) -> None:
        self.frames: list[ContextFrame] = []
        self.labels: list[EpisodeLabel] = []

    def add(self, frame: ContextFrame, images: Mapping[str, np.ndarray]) -> None:
        self.frames.append(frame)

    def cut(self) -> None: ...

    def abandon(self) -> None: ...

    def remove_last(self) -> None: ...

    def finish(self, actions: Sequence[np.ndarray], label: EpisodeLabel) -> None:
        self.labels.append(label)


LENS = (-0.2, 0.05, 0.001, -0.001, 0.0)
OTHER_CAMERAS: dict[str, Any] = {
    "image_topics": ["top/color/image", "side/image_raw"],
    "transports": ["raw", "compressed"],
    "rectify": [True, False],
    "crop": [16, 12, 96, 72, 0, 0, 0, 0],
}
"""Names, a lens, a crop and a transport that are not the defaults."""


def params_file(path: Path, context: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump({"/**/camera_context": {"ros__parameters": dict(context)}}))
    return path


def replayed(path: Path, settings: CellSettings, **options: Any) -> Frames:
    (file,) = open_bag(path)
    found = Frames()
    topics = map_topics(file.topics(), settings)
    replay = Replay(settings, topics.marked, found, ReplayOptions(**options))
    BagSource(settings, topics, replay).feed(file, lambda position: None)
    replay.end()
    return found


def recorder(folder: Path, namespace: str = "", **parameters: Any) -> RecorderNode:
    values = {"output": str(folder), "name": "bag", "least_free_gb": 0.0, **parameters}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    return RecorderNode(namespace=namespace, parameter_overrides=overrides)


def mark(graph: Graph, kind: str) -> Any:
    return graph.call(Trigger, f"recorder/{kind}", Trigger.Request())


def same(live: ContextFrame, recorded: ContextFrame) -> bool:
    return (
        live.index == recorded.index
        and live.stamp == pytest.approx(recorded.stamp, abs=1e-6)
        and np.array_equal(live.mosaic, recorded.mosaic)
        and np.array_equal(live.position, recorded.position)
        and np.array_equal(live.velocity, recorded.velocity)
        and live.camera_missing == recorded.camera_missing
        and live.joints_missing == recorded.joints_missing
        and live.instruction == recorded.instruction
    )


@pytest.mark.parametrize("cameras", [{}, OTHER_CAMERAS], ids=["defaults", "other cameras"])
def test_live_and_recorded_frames_agree_bit_for_bit(
    graph: Graph, tmp_path: Path, cameras: dict[str, Any]
) -> None:
    """Every frame that the node saw whole; one without a camera is one without it here. Also
    where a camera is rectified and cropped, and one compressed, on topics of other names."""
    heard = {name: cameras[name] for name in ("image_topics", "transports") if cameras}
    node = graph.add_active(recorder(tmp_path, **heard))
    # Both wait longer than this machine may be busy, so that nothing depends on its speed.
    context = {"max_delay_s": ReplayOptions.patience_s, **cameras}
    overrides = [Parameter(name, value=value) for name, value in context.items()]
    graph.add_active(CameraContextNode(parameter_overrides=overrides))
    settings = read_settings(params_file(tmp_path / "cell.yaml", context))
    live: list[ContextFrameMsg] = graph.collect(
        ContextFrameMsg, "camera_context/context", qos.FRAMES
    )
    speaker = graph.client.create_publisher(String, "instruction", qos.STATE)
    speaker.publish(String(data="lift the box"))
    inputs = RobotInputs(
        graph.client,
        {name: given.topic for name, given in settings.inputs.items()},
        {name: LENS for name, given in settings.inputs.items() if given.rectify},
    )
    graph.spin(0.5)
    inputs.start()
    graph.spin_until(lambda: len(live) >= 15)
    inputs.without.add("front")
    inputs.position += 0.1
    graph.spin_until(lambda: len(live) >= 25)
    inputs.without.clear()
    graph.spin_until(lambda: len(live) >= 42)
    seen = [context_frame_from_msg(message) for message in live]
    graph.spin(0.2)  # the recorder may hear the last image after the node
    node.trigger_deactivate()
    node.trigger_cleanup()
    recorded = replayed(tmp_path / "bag.mcap", settings, whole=True).frames
    assert len(recorded) >= len(seen)
    whole = [frame for frame in seen if frame.good]
    assert len(whole) >= 12
    assert not [frame.index for frame in whole if not same(frame, recorded[frame.index])]
    lost = [frame for frame in seen if frame.camera_missing[1]]
    assert len(lost) >= 5
    # Where the camera comes back, a frame may just have given up waiting in one of both.
    differing = [frame.index for frame in lost if not same(frame, recorded[frame.index])]
    assert len(differing) <= 2
    assert all(recorded[frame.index].camera_missing[1] for frame in lost)


def test_episodes_are_marked_by_services(graph: Graph, tmp_path: Path) -> None:
    node = graph.add_active(recorder(tmp_path, task="lift", instruction="lift it"))
    heard: list[String] = graph.collect(String, MARKS, qos.reliable(10))
    refused = mark(graph, "start")
    assert not refused.success
    assert "nothing comes on /overhead/image_raw" in refused.message
    assert "no episode runs" in mark(graph, "success").message
    inputs = RobotInputs(graph.client)
    inputs.start()
    graph.spin(0.5)
    assert mark(graph, "start").success
    assert "runs already" in mark(graph, "start").message
    graph.spin(1.5)
    assert mark(graph, "success").success
    assert mark(graph, "start").success
    node.trigger_deactivate()
    node.trigger_cleanup()
    (file,) = open_bag(tmp_path / "bag.mcap")
    decoder = Decoder()
    written = [
        Mark.from_json(decoder.decode(message).data)
        for message in file.messages()
        if message.topic.name == f"/{MARKS}"
    ]
    assert [m.kind for m in written] == [
        MarkKind.START, MarkKind.SUCCESS, MarkKind.START, MarkKind.STOP,
    ]  # fmt: skip
    assert [m.episode for m in written] == [0, 0, 1, 1]
    assert written[0].instruction == "lift it"
    assert "stopped" in written[-1].note
    graph.spin_until(lambda: len(heard) >= 3)
    assert replayed(tmp_path / "bag.mcap", CellSettings()).labels[0].success


def test_kill_9_of_the_recorder_leaves_a_bag_that_is_imported(
    graph: Graph, tmp_path: Path
) -> None:
    """It records what the parameters of `camera_context` and `leapfrog_scheduler` name."""
    cell = params_file(tmp_path / "cell.yaml", {**OTHER_CAMERAS, "rectify": [False]})
    scheduler = {"/**/leapfrog_scheduler": {"ros__parameters": {"controllers": ["arm", "hand"]}}}
    cell.write_text(cell.read_text() + yaml.safe_dump(scheduler))
    settings = read_settings(cell)
    topics = {name: given.topic for name, given in settings.inputs.items()}
    RobotInputs(graph.client, topics).start()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "dva_ros", "record", "--output", str(tmp_path), "--name", "bag",
            "--namespace", "", "--least-free-gb", "0", "--instruction", "lift it",
            "--params-file", str(cell),
        ],
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    path = tmp_path / "bag.mcap"
    graph.spin_until(lambda: path.exists() and path.stat().st_size > 1_500_000, 60.0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    found = replayed(path, settings, whole=True, instruction="lift it")
    assert len(found.frames) > 15
    (file,) = open_bag(path)
    assert sum(1 for _ in file.messages()) > 50
    assert "did not close it" in str(file.breaks[-1])
    heard = {topic.name for topic in file.topics()}
    assert {
        f"/{controller}/{topic}"
        for controller in ("arm", "hand")
        for topic in ("joint_trajectory", "controller_state")
    } == {name for name in heard if name.endswith(("/joint_trajectory", "/controller_state"))}


def test_too_little_space_ends_recording_with_its_reason_and_a_whole_file(
    graph: Graph, tmp_path: Path
) -> None:
    node = graph.add_active(recorder(tmp_path))
    RobotInputs(graph.client).start()
    graph.spin(0.5)
    assert node.bag is not None
    node.bag._least_free_bytes = 10**18
    graph.spin_until(node.broken.is_set)
    assert "GB free" in node.failure
    (file,) = open_bag(tmp_path / "bag.mcap")
    assert sum(1 for _ in file.messages()) > 10
    assert not file.breaks


def test_a_file_that_is_there_is_never_overwritten(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "bag.mcap").write_bytes(b"precious")
    node = graph.add(recorder(tmp_path))
    node.trigger_configure()
    assert "cannot be made: File exists" in node.failure
    assert (tmp_path / "bag.mcap").read_bytes() == b"precious"


def test_topics_of_a_namespace_are_recorded_under_their_full_names(
    graph: Graph, tmp_path: Path
) -> None:
    node = graph.add_active(
        recorder(tmp_path, namespace="/left", extra_topics=["notes=std_msgs/String"])
    )
    notes = graph.client.create_publisher(String, "/left/notes", qos.reliable(1))
    graph.spin_until(lambda: notes.get_subscription_count() > 0)
    notes.publish(String(data="a note"))
    assert node.bag is not None
    graph.spin_until(lambda: node.bag.messages > 0)
    speaker = graph.client.create_publisher(String, "/left/instruction", qos.STATE)
    speaker.publish(String(data="hello"))
    graph.spin_until(lambda: node.bag.messages > 1)
    node.trigger_deactivate()
    node.trigger_cleanup()
    messages = open_bag(tmp_path / "bag.mcap")[0].messages()
    assert [message.topic.name for message in messages] == ["/left/notes", "/left/instruction"]

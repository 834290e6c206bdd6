"""Bags of a small moving cell, written without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from dva_ros.recordings.bag_writer import BagWriter
from dva_ros.recordings.marks import MARKS, Mark, MarkKind
from dva_ros.resources import SOURCE_ROOT
from dva_ros.spec import EMBEDDED_CELL

STORE = get_typestore(Stores.ROS2_JAZZY)
STATE_TYPE = "dva_msgs/msg/ControllerState"
STORE.register(
    get_types_from_msg((SOURCE_ROOT / "dva_msgs/msg/ControllerState.msg").read_text(), STATE_TYPE)
)
BEGIN_S = 1_700_000_000.0
SIZES = {"overhead": (96, 128), "front": (64, 128)}
LATENCY_S = 0.004


def definition(type_name: str) -> str:
    """A type's definition, from rosbags in place of an installation."""
    return STORE.generate_msgdef(type_name, ros_version=2)[0]


def message(type_name: str, **values: Any) -> bytes:
    """A serialized message."""
    return bytes(STORE.serialize_cdr(STORE.types[type_name](**values), type_name))


def header(seconds: float) -> Any:
    """A header with this stamp."""
    nanoseconds = round(seconds * 1e9)
    time = STORE.types["builtin_interfaces/msg/Time"](*divmod(nanoseconds, 10**9))
    return STORE.types["std_msgs/msg/Header"](stamp=time, frame_id="")


def command_at(seconds: float) -> np.ndarray:
    """What the controller of the cell commands, float64 [J]; seconds since the bag's begin."""
    return 0.3 * np.sin(0.7 * seconds + np.arange(EMBEDDED_CELL.num_joints))


def position_at(seconds: float) -> np.ndarray:
    """What its joints measure."""
    return command_at(seconds) - 0.01


def picture_at(camera: str, seconds: float) -> np.ndarray:
    """What a camera shows: a disc that moves over a plain ground."""
    height, width = SIZES[camera]
    image = np.full((height, width, 3), 90, np.uint8)
    centre = (20 + round(8 * seconds) % (width - 40), height // 2)
    cv2.circle(image, centre, 12, (200, 60, 40), -1)
    return image


@dataclass
class CellBag:
    """What is in a bag.

    Attributes:
        seconds: its length.
        namespace: before every topic, as in "/left".
        compressed: images are PNG on `image_raw/compressed`.
        joint_names: of the joint states and commands.
        without: topics that are left out.
        commands: "state", "trajectory" or "none".
        marks: time -> mark.
        nan_joints: (from, to) where a joint state is NaN.
        instruction: on the topic; "" for none.
        jitter_s: greatest error of the cameras' stamps.
        image_delay_s: after which images are recorded.
        topics: other names of topics.
        lens: distortion of the overhead camera, whose camera_info comes with its images; () for
            none.
        damaged: (from, to) where compressed images are damaged behind their header.
    """

    seconds: float = 4.0
    namespace: str = ""
    compressed: bool = False
    joint_names: tuple[str, ...] = EMBEDDED_CELL.joint_names
    without: set[str] = field(default_factory=set)
    commands: str = "state"
    marks: dict[float, Mark] = field(default_factory=dict)
    nan_joints: tuple[float, float] = (0.0, 0.0)
    instruction: str = "lift the box"
    jitter_s: float = 0.0
    image_delay_s: float = 0.0
    topics: dict[str, str] = field(default_factory=dict)
    lens: tuple[float, ...] = ()
    damaged: tuple[float, float] = (0.0, 0.0)

    def messages(self) -> Iterator[tuple[str, str, float, bytes]]:
        """(topic, type, seconds since the begin, bytes), in the order of recording."""
        rng = np.random.default_rng(0)
        marks = sorted(self.marks.items())
        if self.instruction:
            yield self._one("instruction", "std_msgs/msg/String", -0.5, data=self.instruction)
        for tick in range(round(self.seconds * 50)):
            now = tick * 0.02
            while marks and marks[0][0] <= now:
                when, mark = marks.pop(0)
                yield self._one(MARKS, "std_msgs/msg/String", when, data=mark.to_json())
            yield from self._joints(now)
            if tick % 5 == 0 and self.lens:
                yield self._info(now)
            if tick % 5 == 0:
                for camera in SIZES:
                    shown = now - self.image_delay_s
                    yield self._image(camera, shown + rng.uniform(0, self.jitter_s), now)
        for when, mark in marks:
            yield self._one(MARKS, "std_msgs/msg/String", when, data=mark.to_json())

    def _one(self, topic: str, kind: str, now: float, **values: Any) -> Any:
        name = f"{self.namespace}/{self.topics.get(topic, topic)}"
        return name, kind, now + LATENCY_S, message(kind, **values)

    def _joints(self, now: float) -> Iterator[Any]:
        position = position_at(now)
        if self.nan_joints[0] <= now < self.nan_joints[1]:
            position[3] = np.nan
        names = list(self.joint_names)
        if "joint_states" not in self.without:
            yield self._one(
                "joint_states", "sensor_msgs/msg/JointState", now,
                header=header(BEGIN_S + now), name=names, position=position,
                velocity=np.zeros(len(names)), effort=np.empty(0),
            )  # fmt: skip
        if self.commands == "state":
            empty = self._point(np.empty(0), 0.0)
            yield self._one(
                "joint_trajectory_controller/controller_state", STATE_TYPE, now,
                header=header(BEGIN_S + now), joint_names=names,
                reference=self._point(command_at(now), 0.0), feedback=empty, error=empty,
                output=self._point(command_at(now), 0.0),
            )  # fmt: skip
        elif self.commands == "trajectory" and round(now * 50) % 10 == 0:
            points = [self._point(command_at(now + ahead), ahead) for ahead in (0.1, 0.2, 0.3)]
            kind = "trajectory_msgs/msg/JointTrajectory"
            topic = "joint_trajectory_controller/joint_trajectory"
            yield self._one(
                topic, kind, now - LATENCY_S, header=header(0.0), joint_names=names, points=points
            )

    def _info(self, now: float) -> Any:
        height, width = SIZES["overhead"]
        k = np.array([100.0, 0.0, width / 2, 0.0, 100.0, height / 2, 0.0, 0.0, 1.0])
        roi = STORE.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
        return self._one(
            "overhead/camera_info", "sensor_msgs/msg/CameraInfo", now,
            header=header(BEGIN_S + now), height=height, width=width,
            distortion_model="plumb_bob", d=np.array(self.lens), k=k, r=np.eye(3).ravel(),
            p=np.zeros(12), binning_x=0, binning_y=0, roi=roi,
        )  # fmt: skip

    def _image(self, camera: str, stamp: float, now: float) -> Any:
        pixels = picture_at(camera, now - self.image_delay_s)
        if self.compressed:
            data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1]
            if self.damaged[0] <= now < self.damaged[1]:
                data[40:] = 0
            return self._one(
                f"{camera}/image_raw/compressed", "sensor_msgs/msg/CompressedImage", now,
                header=header(BEGIN_S + stamp), format="png", data=data.ravel(),
            )  # fmt: skip
        height, width = pixels.shape[:2]
        return self._one(
            f"{camera}/image_raw", "sensor_msgs/msg/Image", now, header=header(BEGIN_S + stamp),
            height=height, width=width, encoding="rgb8", is_bigendian=0, step=3 * width,
            data=pixels.ravel(),
        )  # fmt: skip

    @staticmethod
    def _point(positions: np.ndarray, ahead_s: float) -> Any:
        seconds, fraction = divmod(round(ahead_s * 1e9), 10**9)
        duration = STORE.types["builtin_interfaces/msg/Duration"](seconds, fraction)
        empty = np.empty(0)
        point = STORE.types["trajectory_msgs/msg/JointTrajectoryPoint"]
        return point(positions, empty, empty, empty, duration)

    def write(self, path: Path, compression: str = "none") -> Path:
        """As the recorder writes it."""
        bag = BagWriter(path, compression, definition=definition)
        for topic, kind, now, data in self.messages():
            if topic.removeprefix(f"{self.namespace}/") not in self.without:
                bag.open_topic(topic, kind)
                bag.write(topic, data, round((BEGIN_S + now) * 1e9))
        bag.close()
        return path

    def write_rosbag2(self, folder: Path, storage: StoragePlugin) -> Path:
        """As another program writes it."""
        with Writer(folder, version=9, storage_plugin=storage) as bag:
            connections: dict[str, Any] = {}
            for topic, kind, now, data in self.messages():
                if topic not in connections:
                    connections[topic] = bag.add_connection(topic, kind, typestore=STORE)
                bag.write(connections[topic], round((BEGIN_S + now) * 1e9), data)
        return folder


def episodes(*kinds: MarkKind, length_s: float = 2.0) -> dict[float, Mark]:
    """Marks of episodes of this length, that end in these ways; the first frame is at
    0.5 s, the others follow half a second after the last one's end."""
    marks = {}
    for number, kind in enumerate(kinds):
        begin = 0.45 + number * (length_s + 0.5)
        marks[begin] = Mark(MarkKind.START, number, "lift", f"lift box {number}", seed=number)
        marks[begin + length_s] = Mark(kind, number, "lift", f"lift box {number}", seed=number)
    return marks

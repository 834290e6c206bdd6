"""``recorder``: a cell's topics into an MCAP file, with marks of its episodes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import LeapfrogStatus, TaskStatus

from ..context.camera_input import CameraTopic
from ..recordings.bag_writer import COMPRESSIONS, BagWriter
from ..recordings.errors import RecordingError
from ..recordings.keys import TerminalKeys
from ..recordings.marks import MARKS, MarkKind
from ..recordings.session import Episode, RecordingSession
from ..ros import qos
from ..ros.camera_topics import CameraTopicParameters
from ..ros.cell_spec import SpecParameters
from ..ros.controller_links import message_type
from ..ros.diagnostics import Health, Level
from ..ros.managed_node import ManagedNode
from ..ros.parameters import declare, parameter
from ..ros.process import run_node

NAME = "recorder"
KEYS = {
    "s": MarkKind.START,
    "y": MarkKind.SUCCESS,
    "n": MarkKind.FAILURE,
    "e": MarkKind.STOP,
    "d": MarkKind.DISCARD,
}
HELP = "keys: s start, y success, n failure, e end without verdict, d discard, Ctrl-C ends all"
SILENT_S = 1.0
REPORT_S = 30.0


@dataclass(frozen=True)
class RecorderParameters(CameraTopicParameters):
    """Where and what to record."""

    output: str = parameter("recordings", "folder of the files")
    name: str = parameter("", "of the file; empty: the date and time of the start")
    compression: str = parameter("none", "of the file's chunks", choices=tuple(COMPRESSIONS))
    least_free_gb: float = parameter(
        2.0, "recording ends before the disk has less free, GB", minimum=0.0, maximum=1e6
    )
    task: str = parameter("", "name of the task; empty: that of cell/task_status, if any")
    instruction: str = parameter("", "in words, until one comes on the topic instruction")
    controllers: tuple[str, ...] = parameter(
        ("joint_trajectory_controller",), "whose commands and states are recorded"
    )
    controller_state_type: str = parameter(
        "dva_msgs/ControllerState",
        "type of a controller's state",
        choices=("dva_msgs/ControllerState", "control_msgs/JointTrajectoryControllerState"),
    )
    extra_topics: tuple[str, ...] = parameter(
        ("",), "more topics, each as TOPIC=PACKAGE/TYPE; heard with sensor data quality"
    )


@dataclass
class Heard:
    """A topic that is recorded.

    Attributes:
        required: an episode is not begun without it.
        messages: that came.
        last_s: when the last one came; -inf before.
    """

    required: bool
    messages: int = 0
    last_s: float = float("-inf")


class RecorderNode(ManagedNode):
    """Writes what comes, as it came. Services `~/start`, `~/success`, `~/failure`, `~/stop` and
    `~/discard` mark episodes; with `keys` those of the terminal do the same."""

    def __init__(self, keys: TerminalKeys | None = None, **options: Any) -> None:
        super().__init__(NAME, **options)
        self._keys = keys
        self.bag: BagWriter | None = None
        self.session = RecordingSession()

    def setup(self) -> None:
        """Make the file and subscribe."""
        settings = declare(self, RecorderParameters)
        spec = declare(self, SpecParameters)
        topics = self._camera_topics(settings, spec)
        self.session = RecordingSession()
        self._task, self._seed, self._instruction = settings.task, -1, settings.instruction
        self._task_is_set = bool(settings.task)
        self._heard: dict[str, Heard] = {}
        self._free_bytes = 0
        self._reported_s = self.now()
        name = settings.name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        path = Path(settings.output).expanduser() / f"{name.removesuffix('.mcap')}.mcap"
        self.bag = BagWriter(path, settings.compression, int(settings.least_free_gb * 1e9))
        self._marks = self.advertise(String, MARKS, qos.reliable(10))
        self._mark_topic = self.resolve_topic_name(MARKS)
        self.bag.open_topic(self._mark_topic, "std_msgs/msg/String")
        self._record_cell(settings, topics)
        for kind in MarkKind:
            self.serve(Trigger, f"~/{kind.value}", partial(self._on_mark, kind))
        self.every(1.0, self._watch)
        self.every(0.05, self._read_keys)
        self.get_logger().info(f"recording into {path}")

    def start(self) -> None:
        """Say which keys there are."""
        if self._keys is not None:
            self.get_logger().info(HELP)

    def stop(self) -> None:
        """A running episode ends without verdict; the file is whole then."""
        if self.bag is None:
            return
        if self.session.running is not None:
            self.mark(MarkKind.STOP, "the recorder was stopped")
        self.bag.flush()

    def teardown(self) -> None:
        """Close the file."""
        bag, self.bag = self.bag, None
        if bag is not None:
            bag.close()
            self.get_logger().info(f"{bag.path}: {self._summary(bag)}")

    def health(self) -> Sequence[Health]:
        """What is written, and what is silent."""
        bag = self.bag
        if bag is None or not self.active:
            return [Health("recording", Level.OK, "inactive")]
        silent = self._silent()
        level = Level.WARN if silent else Level.OK
        counts = {topic: heard.messages for topic, heard in self._heard.items()}
        values = {"file": str(bag.path), "free GB": f"{self._free_bytes / 1e9:.2f}", **counts}
        return [Health("recording", level, silent or self._summary(bag), values)]

    def mark(self, kind: MarkKind, note: str = "") -> str:
        """Mark an episode in the file; gives what was done.

        Raises:
            RecordingError: it cannot be marked so now, or nothing comes on a topic that an
                episode needs.
        """
        if self.bag is None or not (self.active or note):
            raise RecordingError(f"{NAME} is not active")
        if kind is MarkKind.START and (silent := self._silent()):
            raise RecordingError(f"no episode was begun: {silent}")
        begun = Episode(self._task, self._instruction, self._seed)
        mark = self.session.mark(kind, begun, note)
        message = String(data=mark.to_json())
        self.bag.write(self._mark_topic, serialize_message(message), self._now_ns())
        self.bag.flush()
        self._marks.publish(message)
        said = f"episode {mark.episode}: {kind.value}" + (f" ({note})" if note else "")
        self.get_logger().info(f"{said}; '{mark.instruction}'")
        return said

    def _camera_topics(
        self, settings: CameraTopicParameters, spec: SpecParameters
    ) -> Sequence[CameraTopic]:
        try:
            return list(settings.topics(spec.cameras).values())
        except ValueError as error:
            raise RecordingError(f"parameters of {NAME}: {error}") from error

    def _record_cell(self, settings: RecorderParameters, cameras: Sequence[CameraTopic]) -> None:
        sensor, reliable = qos.SENSOR_QUEUE, qos.reliable(100)
        # Calibrations first: of what came together, an import needs them before the images.
        for info in dict.fromkeys(camera.info for camera in cameras):
            self._record(CameraInfo, info, sensor)
        for camera in dict.fromkeys(cameras):
            kind = CompressedImage if camera.compressed else Image
            self._record(kind, camera.images, sensor, required=True)
        self._record(JointState, "joint_states", sensor, required=True)
        self._record(String, "instruction", qos.STATE, self._on_instruction)
        self._record(String, "robot_description", qos.STATE)
        self._record(LeapfrogStatus, "leapfrog_scheduler/status", reliable)
        self._record(TaskStatus, "cell/task_status", reliable, self._on_task)
        for controller in settings.controllers:
            self._record(JointTrajectory, f"{controller}/joint_trajectory", reliable)
            state = message_type(settings.controller_state_type)
            self._record(state, f"{controller}/controller_state", sensor)
        for entry in filter(None, settings.extra_topics):
            topic, _, type_name = entry.partition("=")
            self._record(message_type(type_name), topic, sensor)

    def _record(
        self,
        kind: type[Any],
        topic: str,
        profile: QoSProfile,
        also: Any = None,
        required: bool = False,
    ) -> None:
        """Subscribe to the bytes of a topic; `also` gets the messages themselves."""
        name = self.resolve_topic_name(topic)
        assert self.bag is not None
        self.bag.open_topic(name, f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}")
        heard = self._heard[name] = Heard(required)

        def on_bytes(data: bytes) -> None:
            heard.messages += 1
            heard.last_s = self.now()
            if also is not None:
                also(deserialize_message(data, kind))
            if self.active and self.bag is not None:
                self._write(name, data)

        self.listen(kind, topic, on_bytes, profile, raw=True)

    def _write(self, topic: str, data: bytes) -> None:
        assert self.bag is not None
        try:
            self.bag.write(topic, data, self._now_ns())
        except RecordingError as error:
            self._end(str(error))

    def _watch(self) -> None:
        """Once a second: everything to the disk, and whether there is space for more."""
        bag = self.bag
        if bag is None:
            return
        try:
            bag.flush()
            self._free_bytes = bag.free_bytes()
            bag.require_space()
        except RecordingError as error:
            self._end(str(error))
            return
        if self.now() - self._reported_s >= REPORT_S:
            self._reported_s = self.now()
            self.get_logger().info(self._summary(bag))

    def _end(self, reason: str) -> None:
        """Save what there is, and end the process with an error."""
        bag, self.bag = self.bag, None
        if bag is None:
            return
        try:
            bag.close()
        except RecordingError as error:
            self.get_logger().error(str(error))
        self.give_up(f"recording ends: {reason}. What was written until then can be imported")

    def _read_keys(self) -> None:
        for key in self._keys.pressed() if self._keys is not None else "":
            if key not in KEYS:
                self.get_logger().info(HELP)
                continue
            try:
                self.mark(KEYS[key])
            except RecordingError as error:
                self.get_logger().error(str(error))

    def _on_mark(
        self, kind: MarkKind, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        try:
            response.message, response.success = self.mark(kind), True
        except RecordingError as error:
            response.message = str(error)
        return response

    def _on_instruction(self, message: String) -> None:
        self._instruction = message.data

    def _on_task(self, message: TaskStatus) -> None:
        self._seed = message.seed
        if not self._task_is_set:
            self._task = message.task

    def _silent(self) -> str:
        """What an episode needs and does not come; empty where all comes."""
        silent = [
            topic
            for topic, heard in self._heard.items()
            if heard.required and self.now() - heard.last_s > SILENT_S
        ]
        return f"nothing comes on {', '.join(silent)}" if silent else ""

    def _summary(self, bag: BagWriter) -> str:
        ended = ", ".join(f"{n} {kind.value}" for kind, n in self.session.verdicts.items() if n)
        running = "" if self.session.running is None else f"; episode {self.session.episode} runs"
        return f"{bag.messages} messages; episodes: {ended or 'none yet'}{running}"

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())

"""Listens to the topics of a running cell: cameras, joints, controllers and their timing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import numpy as np
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image, JointState
from std_msgs.msg import String

from ...leapfrog.controller_setpoint import ControllerSetpoint
from ...ros import qos
from ...ros.conversions import (
    MessageError,
    controller_setpoint_from_msg,
    image_from_msg,
    seconds_of,
)
from ..findings import FoundController, ImageTopic, JointTopic, LiveCell, Timing
from .observer import EVERYTHING, Observer, message_class, observer

DISCOVERY_S, ANSWER_S = 1.5, 1.0
JOINT_TRAJECTORY, STATE, ACTION = (
    "/joint_trajectory",
    "/controller_state",
    "/follow_joint_trajectory/_action/status",
)
MANAGER = "controller_manager"
CONTROLLER_PARAMETERS = (
    "joints",
    "command_interfaces",
    "interpolate_from_desired_state",
    "open_loop_control",
    "allow_trajectory_replacement",
    "cmd_timeout",
)


@dataclass
class _Heard:
    """What came on one topic.

    Attributes:
        stamps: of the messages, s.
        arrivals: of the same, s on the probe's clock.
        last: the newest message.
        names: kinds of joint states.
        states: of a controller.
        fault: why the newest cannot be used.
    """

    stamps: list[float] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    last: Any = None
    names: Counter[tuple[str, ...]] = field(default_factory=Counter)
    states: list[tuple[float, ControllerSetpoint]] = field(default_factory=list)
    fault: str = ""

    def clear(self) -> None:
        for times in (self.stamps, self.arrivals, self.states):
            times.clear()

    @property
    def timing(self) -> Timing | None:
        return Timing.of(self.stamps, self.arrivals)


def look(measure_s: float, namespace: str = "", use_sim_time: bool = False) -> LiveCell:
    """Look for topics, then listen to them.

    Args:
        measure_s: how long to listen.
        namespace: of the cell; names of topics in it are relative to it.
        use_sim_time: stamps are held against /clock.
    """
    with observer("dva_ros_probe", use_sim_time) as watching:
        return _Probe(watching, namespace).look(measure_s)


class _Probe:
    def __init__(self, watching: Observer, namespace: str) -> None:
        self._watching, self._node = watching, watching.node
        self._prefix = f"/{namespace.strip('/')}/" if namespace.strip("/") else "/"
        self._heard: dict[str, _Heard] = {}

    def look(self, measure_s: float) -> LiveCell:
        self._watching.spin(DISCOVERY_S)
        kinds = self._watching.topics()
        images = self._of(kinds, "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
        joint_states = self._of(kinds, "sensor_msgs/msg/JointState")
        for topic in images:
            kind = Image if kinds[topic].endswith("/Image") else CompressedImage
            self._listen(kind, topic, self._on_stamped)
        for topic in joint_states:
            self._listen(JointState, topic, self._on_joints)
        description = self._prefix + "robot_description"
        self._listen(String, description, self._on_string, qos.STATE)
        states = [topic for topic in kinds if topic.endswith(STATE)]
        for topic in states:
            self._listen_to_state(topic, kinds[topic])
        rate, parameters = self._parameters(kinds)
        for heard in self._heard.values():  # from here on all are measured
            heard.clear()
        self._watching.spin(measure_s)
        described = self._heard[description].last
        return LiveCell(
            images=tuple(self._image(topic, kinds[topic]) for topic in images),
            joint_states=tuple(self._joint_topic(topic) for topic in joint_states),
            controllers=tuple(
                self._controller(name, kinds, parameters.get(name, {}))
                for name in self._controller_names(kinds)
            ),
            description=described.data if described is not None else "",
            update_rate_hz=rate,
            nodes=tuple(self._watching.other_nodes()),
        )

    def _of(self, kinds: dict[str, str], *wanted: str) -> list[str]:
        """Topics of these types that have a publisher."""
        return sorted(
            name
            for name, kind in kinds.items()
            if kind in wanted and self._node.count_publishers(name)
        )

    def _listen(
        self, kind: type[Any], topic: str, callback: Any, quality: QoSProfile = EVERYTHING
    ) -> None:
        heard = self._heard[topic] = _Heard()
        self._node.create_subscription(kind, topic, partial(callback, heard), quality)

    def _now(self) -> float:
        return seconds_of(self._node.get_clock().now())

    def _on_stamped(self, heard: _Heard, message: Any) -> None:
        heard.stamps.append(seconds_of(message.header.stamp))
        heard.arrivals.append(self._now())
        heard.last = message

    def _on_joints(self, heard: _Heard, message: JointState) -> None:
        self._on_stamped(heard, message)
        heard.names[tuple(message.name)] += 1

    def _on_string(self, heard: _Heard, message: String) -> None:
        heard.last = message

    def _on_state(self, heard: _Heard, message: Any) -> None:
        self._on_stamped(heard, message)
        try:
            heard.states.append((heard.arrivals[-1], controller_setpoint_from_msg(message)))
        except MessageError as error:
            heard.fault = f"its state cannot be used: {error}"

    def _listen_to_state(self, topic: str, kind: str) -> None:
        message = message_class(kind)
        if message is None:
            package = kind.partition("/")[0]
            heard = self._heard[topic] = _Heard()
            heard.fault = (
                f"its state is {kind}, and {package} is not installed: "
                f"sudo apt-get install ros-$ROS_DISTRO-{package.replace('_', '-')}"
            )
            return
        self._listen(message, topic, self._on_state)

    def _image(self, topic: str, kind: str) -> ImageTopic:
        heard, message = self._heard[topic], self._heard[topic].last
        compressed = kind.endswith("/CompressedImage")
        height = width = 0
        encoding = fault = ""
        if message is not None and compressed:
            encoding = message.format
            picture = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
            if picture is None:
                fault = f"compressed images of format '{message.format}' cannot be read"
            else:
                height, width = picture.shape[:2]
        elif message is not None:
            encoding, height, width = message.encoding, message.height, message.width
            try:
                image_from_msg(message)
            except MessageError as error:
                fault = str(error)
        return ImageTopic(
            topic=self._relative(topic),
            compressed=compressed,
            encoding=encoding,
            height=height,
            width=width,
            publishers=self._node.count_publishers(topic),
            timing=heard.timing,
            fault=fault,
        )

    def _joint_topic(self, topic: str) -> JointTopic:
        heard = self._heard[topic]
        last = heard.last
        return JointTopic(
            topic=self._relative(topic),
            publishers=self._nodes_of(self._node.get_publishers_info_by_topic(topic)),
            names=tuple(heard.names),
            positions=dict(zip(last.name, last.position, strict=False)) if last else {},
            timing=heard.timing,
        )

    def _controller_names(self, kinds: dict[str, str]) -> list[str]:
        """With their namespace."""
        names = {topic.removesuffix(STATE) for topic in kinds if topic.endswith(STATE)}
        for topic, kind in kinds.items():
            takes = topic.endswith(JOINT_TRAJECTORY) and self._node.count_subscribers(topic)
            if takes and kind == "trajectory_msgs/msg/JointTrajectory":
                names.add(topic.removesuffix(JOINT_TRAJECTORY))
            if topic.endswith(ACTION):
                names.add(topic.removesuffix(ACTION))
        return sorted(names)

    def _controller(
        self, name: str, kinds: dict[str, str], parameters: dict[str, object]
    ) -> FoundController:
        heard = self._heard.get(name + STATE, _Heard())
        told = parameters.get("joints")
        joints = heard.states[-1][1].joint_names if heard.states else ()
        if not joints and isinstance(told, Sequence):
            joints = tuple(str(joint) for joint in told)
        topic = name + JOINT_TRAJECTORY
        return FoundController(
            name=self._relative(name),
            joints=tuple(joints),
            topic=self._node.count_subscribers(topic) > 0,
            action=name + ACTION in kinds,
            state_type=kinds.get(name + STATE, "").replace("/msg/", "/"),
            states=tuple(heard.states),
            timing=heard.timing,
            fault=heard.fault,
            senders=self._nodes_of(self._node.get_publishers_info_by_topic(topic)),
            parameters=parameters,
        )

    def _parameters(
        self, kinds: dict[str, str]
    ) -> tuple[float | None, dict[str, dict[str, object]]]:
        """Update rate of the controller manager, and parameters of the controllers' nodes."""
        nodes = set(self._watching.other_nodes())
        manager = self._prefix + MANAGER
        asked: dict[str, tuple[str, ...]] = {manager: ("update_rate",)} if manager in nodes else {}
        asked |= {
            name: CONTROLLER_PARAMETERS for name in self._controller_names(kinds) if name in nodes
        }
        futures = {}
        for name, wanted in asked.items():
            client = self._node.create_client(GetParameters, f"{name}/get_parameters")
            self._watching.spin_until(client.service_is_ready, ANSWER_S)
            for parameter in wanted:  # one by one: an unknown name leaves a whole answer empty
                request = GetParameters.Request(names=[parameter])
                futures[name, parameter] = client.call_async(request)
        self._watching.spin_until(
            lambda: all(future.done() for future in futures.values()), ANSWER_S
        )
        told: dict[str, dict[str, object]] = {}
        for (name, parameter), future in futures.items():
            answer = future.result() if future.done() else None
            value = (
                parameter_value_to_python(answer.values[0]) if answer and answer.values else None
            )
            if value is not None:
                told.setdefault(name, {})[parameter] = value
        rate = told.pop(manager, {}).get("update_rate")
        return float(rate) if isinstance(rate, int | float) else None, told

    def _nodes_of(self, infos: Sequence[Any]) -> tuple[str, ...]:
        return tuple(
            sorted(f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in infos)
        )

    def _relative(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)

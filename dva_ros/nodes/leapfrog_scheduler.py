"""``leapfrog_scheduler``: asks for the future, turns the answers into motion, keeps it safe.

It is the only sender of trajectories. Everything it decides is `dva_ros.leapfrog`; this node moves
messages. Deactivation, shutdown and SIGTERM disengage: a smooth stop is the last message.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.duration import Duration
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import ActionChunk, LeapfrogStatus, PredictionRequest
from dva_msgs.msg import ContextFrame as ContextFrameMsg

from ..errors import UserError
from ..leapfrog.limits import JointLimits
from ..leapfrog.messages import Decision, Mode
from ..leapfrog.parameters import LeapfrogParameters
from ..leapfrog.scheduler import Leapfrog
from ..resources import config_path
from . import qos
from .cell_spec import SpecParameters
from .conversions import (
    MessageError,
    chunk_from_msg,
    header,
    leapfrog_frame,
    request_to_msg,
    trajectory_to_msg,
)
from .diagnostics import Health, Level
from .managed_node import ManagedNode
from .parameters import declare, parameter
from .process import run_node

NAME = "leapfrog_scheduler"
LAST_WORD_TIMEOUT_S = 0.5
_LEVELS = {
    Mode.DISENGAGED: Level.OK,
    Mode.ENGAGED: Level.OK,
    Mode.HOLDING: Level.WARN,
    Mode.STOPPING: Level.WARN,
    Mode.FAULT: Level.ERROR,
}


@dataclass(frozen=True)
class LeapfrogSchedulerParameters:
    """Timing, limits and the controller."""

    horizon: int = parameter(8, "H, targets in a chunk", minimum=2, maximum=1000)
    committed_frames: int = parameter(
        3, "d, frames that keep executing while a chunk is made", minimum=0, maximum=100
    )
    execute_frames: int = parameter(
        3, "a new request is made every so many frames", minimum=1, maximum=100
    )
    controller_period_s: float = parameter(
        0.01, "of the joint_trajectory_controller, s", minimum=0.0005, maximum=0.1
    )
    lead_s: float = parameter(
        0.08, "from sending a message to where motion changes, s", minimum=0.001, maximum=1.0
    )
    overlap_s: float = parameter(
        0.05, "how much of the past motion a message repeats, s", minimum=0.0, maximum=1.0
    )
    blend_s: float = parameter(
        0.3, "time over which disagreement is blended out, s", minimum=0.01, maximum=5.0
    )
    smoothing_s: float = parameter(
        0.03, "what targets do within less is smoothed away, s", minimum=0.005, maximum=0.5
    )
    stale_timeout_s: float = parameter(
        0.3, "without input for this long the robot stops, s", minimum=0.02, maximum=10.0
    )
    request_timeout_s: float = parameter(
        2.0, "a request without answer is given up, s", minimum=0.05, maximum=60.0
    )
    cold_start: int = parameter(
        2, "first chunks whose latency does not count", minimum=0, maximum=1000
    )
    marked_frames: int = parameter(
        1, "frames in a row with a missing source that are tolerated", minimum=0, maximum=100
    )
    num_steps: int = parameter(
        0, "denoising steps asked for; 0: the predictor's own", minimum=0, maximum=1000
    )
    joint_limits: str = parameter("joint_limits", "file of limits, or its name in config/")
    controller: str = parameter(
        "joint_trajectory_controller", "name of the controller that takes the trajectories"
    )
    controller_state_type: str = parameter(
        "dva_msgs/ControllerState",
        "type of the controller's state: the emulation's or control_msgs' of the real one",
        choices=("dva_msgs/ControllerState", "control_msgs/JointTrajectoryControllerState"),
    )
    engage_on_activate: bool = parameter(False, "engage once frames come and a predictor listens")


class LeapfrogSchedulerNode(ManagedNode):
    """Publishes `~/request`, `~/status` and the controller's trajectories."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, **options)

    def setup(self) -> None:
        """Read the limits and connect."""
        self._settings = settings = declare(self, LeapfrogSchedulerParameters)
        self._spec = declare(self, SpecParameters).spec()
        names = self._spec.joint_names
        limits = JointLimits.load(config_path(settings.joint_limits), names)
        self._leapfrog = Leapfrog(self._leapfrog_parameters(), limits, names)
        self._commanded: np.ndarray | None = None
        self._measured: np.ndarray | None = None
        self._order: dict[tuple[str, ...], np.ndarray | None] = {}
        self._bad_frames = 0
        self._bad_input = ""
        self._joint_fault = ""
        self._refusal_logged: dict[str, float] = {}
        self._published: tuple[Mode, str] | None = None
        self._engage_wanted = False
        topic = f"{settings.controller}/joint_trajectory"
        self._trajectories = self.advertise(JointTrajectory, topic, qos.COMMAND)
        self._requests = self.advertise(PredictionRequest, "~/request", qos.COMMAND)
        self._statuses = self.advertise(LeapfrogStatus, "~/status", qos.STATE)
        self.subscribe(ContextFrameMsg, "camera_context/context", self._on_frame, qos.FRAMES)
        self.subscribe(JointState, "joint_states", self._on_joints, qos.SENSOR)
        self.subscribe(ActionChunk, "inverse_dynamics/chunk", self._on_chunk, qos.COMMAND)
        self.subscribe(
            _message_type(settings.controller_state_type),
            f"{settings.controller}/controller_state",
            self._on_controller_state,
            qos.SENSOR,
        )
        self.serve(Trigger, "~/engage", self._on_engage)
        self.serve(Trigger, "~/disengage", self._on_disengage)
        self.every(0.05, self._watch)
        self.every(self._spec.frame_period_s, self._publish_status)

    def start(self) -> None:
        """Wait for `~/engage`, or engage once frames come and a predictor listens."""
        self._commanded = self._measured = None
        self._engage_wanted = self._settings.engage_on_activate

    def stop(self) -> None:
        """Stop the robot smoothly; that is the last message."""
        self._act(self._leapfrog.disengage(self.now(), "deactivated"))
        self._publish_status()
        for publisher in (self._trajectories, self._statuses):
            publisher.wait_for_all_acked(Duration(seconds=LAST_WORD_TIMEOUT_S))

    def health(self) -> Sequence[Health]:
        """Mode, and what the chunks cost."""
        status = self._leapfrog.status(self.now())
        level = _LEVELS[Mode(status.mode)]
        values = {
            "frame": status.frame_index,
            "predictions": status.predictions,
            "refusals": status.refusals,
            "latency p50 ms": f"{1e3 * status.latency_p50_s:.1f}",
            "latency p99 ms": f"{1e3 * status.latency_p99_s:.1f}",
            "idle s": f"{status.idle_s:.2f}",
        }
        message = Mode(status.mode).name.lower()
        reason = self._reason(status.reason)
        if level is not Level.OK and reason:
            message = f"{message}: {reason}"
        return [Health("motion", level, message, values)]

    def _leapfrog_parameters(self) -> LeapfrogParameters:
        settings = self._settings
        fields = {field.name for field in dataclasses.fields(LeapfrogParameters)}
        values = {name: getattr(settings, name) for name in fields - {"frame_period_s"}}
        try:
            return LeapfrogParameters(frame_period_s=self._spec.frame_period_s, **values)
        except ValueError as error:
            raise UserError(f"parameters of {self.get_fully_qualified_name()}: {error}") from error

    def _on_frame(self, message: ContextFrameMsg) -> None:
        missing = [
            name
            for name, absent in zip(message.cameras, message.camera_missing, strict=False)
            if absent
        ]
        missing += ["joint_states"] if message.joints_missing else []
        self._bad_frames = self._bad_frames + 1 if missing else 0
        self._bad_input = f"{', '.join(missing)} missing" if missing else ""
        if self._bad_frames <= self._settings.marked_frames:
            self._act(self._leapfrog.on_frame(leapfrog_frame(message), self.now()))

    def _on_joints(self, message: JointState) -> None:
        positions = self._ordered(message.name, message.position)
        if positions is None:
            return
        if np.isfinite(positions).all():
            self._measured = positions
        self._act(self._leapfrog.on_joint_states(self.now(), positions))
        ready = (
            self._commanded is not None
            and self._leapfrog.state.frame is not None
            and self._requests.get_subscription_count() > 0
        )
        if self._engage_wanted and ready:
            self._engage_wanted = False
            self._engage()

    def _on_chunk(self, message: ActionChunk) -> None:
        try:
            chunk = chunk_from_msg(message)
        except MessageError as error:
            self._log_refusal(f"chunk {message.chunk_id}: {error}", self.now())
            return
        self._act(self._leapfrog.accept(chunk, self.now()))
        self._publish_status()

    def _on_controller_state(self, message: Any) -> None:
        source = message.output.positions or message.reference.positions
        commanded = self._ordered(message.joint_names, source)
        if commanded is not None and np.isfinite(commanded).all():
            self._commanded = commanded

    def _on_engage(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.message = self._engage() if self.active else f"{NAME} is not active"
        response.success = not response.message
        return response

    def _on_disengage(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        if self.active:
            self._act(self._leapfrog.disengage(self.now()))
            self._publish_status()
        response.success = True
        return response

    def _engage(self) -> str:
        """Take over; gives why not, or nothing."""
        commanded = self._commanded if self._commanded is not None else self._measured
        if commanded is None:
            return self._joint_fault or "no controller state and no joint states yet"
        self._warn_of_other_senders()
        decision = self._leapfrog.engage(self.now(), commanded)
        self._act(decision)
        self._publish_status()
        return decision.refusal

    def _warn_of_other_senders(self) -> None:
        topic = self._trajectories.topic_name
        mine = (self.get_name(), self.get_namespace())
        senders = {
            (info.node_name, info.node_namespace)
            for info in self.get_publishers_info_by_topic(topic)
        }
        for name, namespace in sorted(senders - {mine}):
            self.get_logger().error(
                f"{namespace.rstrip('/')}/{name} also sends to {topic}: stop it, {NAME} must be "
                "the only sender"
            )

    def _watch(self) -> None:
        now = self.now()
        self._act(self._leapfrog.watch(now))
        status = self._leapfrog.state
        if (status.mode, status.reason) != self._published:
            self._publish_status()

    def _act(self, decision: Decision) -> None:
        if decision.trajectory is not None:
            self._trajectories.publish(trajectory_to_msg(decision.trajectory))
        if decision.request is not None:
            self._requests.publish(
                request_to_msg(decision.request, self._spec.joint_names, self._settings.num_steps)
            )
        if decision.refusal:
            self._log_refusal(decision.refusal, self.now())

    def _log_refusal(self, refusal: str, now: float) -> None:
        """A refusal of one kind is logged once a second."""
        kind = refusal.split(":")[0]
        if not 0.0 <= now - self._refusal_logged.get(kind, float("-inf")) < 1.0:
            self._refusal_logged[kind] = now
            self.get_logger().warning(refusal)

    def _publish_status(self) -> None:
        now = self.now()
        status = self._leapfrog.status(now)
        message = LeapfrogStatus(header=header(now))
        for name, value in dataclasses.asdict(status).items():
            setattr(message, name, _plain(value))
        message.reason = self._reason(status.reason)
        self._published = (Mode(status.mode), status.reason)
        self._statuses.publish(message)

    def _reason(self, reason: str) -> str:
        """The scheduler's reason, with the source that is to blame where this node knows it."""
        blame = self._joint_fault if "joint" in reason else self._bad_input
        return f"{reason} ({blame})" if reason and blame else reason

    def _ordered(self, names: Sequence[str], values: Sequence[float]) -> np.ndarray | None:
        """Values in the spec's order; None where a joint is missing."""
        key = tuple(names)
        if key not in self._order:
            missing = [name for name in self._spec.joint_names if name not in key]
            self._order[key] = (
                None
                if missing
                else np.array([key.index(name) for name in self._spec.joint_names], np.intp)
            )
            if missing:
                self.get_logger().error(
                    f"joint names do not match: {', '.join(missing)} missing; got {list(key)}"
                )
        order = self._order[key]
        if order is None or len(values) != len(key):
            self._joint_fault = "joint names do not match" if order is None else "sizes differ"
            return None
        self._joint_fault = ""
        return np.asarray(values, np.float64)[order]


def _plain(value: Any) -> Any:
    return (
        int(value)
        if isinstance(value, (Mode, np.integer))
        else (float(value) if isinstance(value, np.floating) else value)
    )


def _message_type(name: str) -> type[Any]:
    package, kind = name.split("/")
    try:
        found: type[Any] = getattr(importlib.import_module(f"{package}.msg"), kind)
    except ImportError as error:
        raise UserError(
            f"controller_state_type is {name}, but {package} is not installed: "
            f"sudo apt-get install ros-$ROS_DISTRO-{package.replace('_', '-')}"
        ) from error
    return found


def main() -> int:
    """Run the node."""
    return run_node(LeapfrogSchedulerNode)


if __name__ == "__main__":
    sys.exit(main())

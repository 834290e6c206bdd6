"""``leapfrog_scheduler``: asks for the future, turns the answers into motion, keeps it safe.

It is the only sender of trajectories. Everything it decides is `dva_ros.leapfrog`; this node moves
messages. Deactivation, shutdown and SIGTERM disengage: a smooth stop is the last message.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from rclpy.duration import Duration
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import ActionChunk, LeapfrogStatus, PredictedClip, PredictionRequest
from dva_msgs.msg import ContextFrame as ContextFrameMsg

from ..errors import UserError
from ..leapfrog.clearance import Clearance
from ..leapfrog.limits import JointLimits
from ..leapfrog.messages import Decision, Mode
from ..leapfrog.scheduler import Leapfrog
from ..leapfrog.surprise import Surprise
from ..resources import config_path
from . import qos
from .cell_spec import SpecParameters
from .commanded import Commanded, JointOrder
from .conversions import (
    MessageError,
    chunk_from_msg,
    header,
    leapfrog_frame,
    pixels,
    request_to_msg,
    trajectory_to_msg,
)
from .diagnostics import Health, Level
from .managed_node import ManagedNode
from .parameters import declare
from .process import run_node
from .scheduler_parameters import LeapfrogSchedulerParameters

NAME = "leapfrog_scheduler"
LAST_WORD_TIMEOUT_S = 0.5
_LEVELS = {
    Mode.DISENGAGED: Level.OK,
    Mode.ENGAGED: Level.OK,
    Mode.HOLDING: Level.WARN,
    Mode.STOPPING: Level.WARN,
    Mode.FAULT: Level.ERROR,
}


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
        self._boxes = settings.boxes()
        try:
            timing = settings.leapfrog(self._spec.frame_period_s)
        except ValueError as error:
            raise UserError(f"parameters of {self.get_fully_qualified_name()}: {error}") from error
        self._leapfrog = Leapfrog(timing, limits, names)
        self._commanded: Commanded | None = None
        self._measured: np.ndarray | None = None
        self._surprise = Surprise()
        self._clip: PredictedClip | None = None
        self._order = JointOrder(names, self.get_logger().error)
        self._controller_order = JointOrder(names, self.get_logger().error)
        self._bad_frames = 0
        self._bad_input = ""
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
        self.subscribe(PredictedClip, "video_predictor/clip", self._on_clip, qos.COMMAND)
        if settings.clearance_m > 0:
            # It comes once, perhaps before activation.
            heard = self.create_subscription(
                String, "robot_description", self._on_description, qos.STATE
            )
            self.own(heard, self.destroy_subscription)
        self.serve(Trigger, "~/engage", self._on_engage)
        self.serve(Trigger, "~/disengage", self._on_disengage)
        self.serve(SetBool, "~/hold", self._on_hold)
        self.serve(SetBool, "~/approve", self._on_approve)
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
            "committed frames": status.committed_frames,
            "denoising steps": status.num_steps or "the predictor's own",
            "surprise": f"{status.surprise:.1f}",
            "tracking error": f"{status.tracking_error_rad:.3f}",
            "distances": "checked" if self._leapfrog.guard else "not checked",
        }
        message = Mode(status.mode).name.lower()
        reason = self._reason(status.reason)
        if level is not Level.OK and reason:
            message = f"{message}: {reason}"
        return [Health("motion", level, message, values)]

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
        if not missing:
            self._compare(message)

    def _compare(self, message: ContextFrameMsg) -> None:
        """Hold a real frame against what was imagined of it."""
        try:
            real = pixels(message.rgb, 1, message.height, message.width)[0]
        except MessageError as error:
            self._log_refusal(f"context frame {message.frame_index}: {error}", self.now())
            return
        score = self._surprise.observed(message.session, message.frame_index, real)
        if score is not None:
            self._act(self._leapfrog.on_surprise(self.now(), score))

    def _on_joints(self, message: JointState) -> None:
        positions = self._order.apply(message.name, message.position)
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
        decision = self._leapfrog.accept(chunk, self.now())
        self._act(decision)
        if decision.trajectory is not None:
            self._imagined(message)
        self._publish_status()

    def _imagined(self, chunk: ActionChunk) -> None:
        """A chunk executes: its clip is what is expected now."""
        clip = self._clip
        if clip is None or clip.clip_id != chunk.clip_id or clip.session != chunk.session:
            return
        first = clip.committed_frames + 1
        try:
            frames = pixels(clip.rgb, clip.num_frames, clip.height, clip.width)
        except MessageError as error:
            self._log_refusal(f"clip {clip.clip_id}: {error}", self.now())
            return
        executed = range(first, first + self._settings.execute_frames)
        self._surprise.imagined(clip.session, clip.frame_index, frames, executed)

    def _on_clip(self, message: PredictedClip) -> None:
        if not message.refusal:
            self._clip = message

    def _on_description(self, message: String) -> None:
        """Distances are checked from now on."""
        settings = self._settings
        try:
            self._leapfrog.guard = Clearance(
                message.data,
                self._spec.joint_names,
                settings.arm_prefixes,
                self._boxes,
                settings.clearance_m,
            )
        except UserError as error:
            self.get_logger().error(f"distances are not checked: {error}")

    def _on_controller_state(self, message: Any) -> None:
        commanded = self._controller_order.commanded(message)
        if commanded is None:
            return
        self._commanded = commanded
        now, stamp, positions = self.now(), commanded.stamp, commanded.positions
        self._act(self._leapfrog.on_commanded(now, stamp, positions))

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

    def _on_hold(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """True: stop smoothly and wait; false: go on."""
        if not self.active:
            response.message = f"{NAME} is not active"
            return response
        now = self.now()
        decision = self._leapfrog.hold(now) if request.data else self._leapfrog.resume(now)
        return self._answered(decision, response)

    def _on_approve(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        """True: execute the clip that waits; false: have another one imagined."""
        if not self.active:
            response.message = f"{NAME} is not active"
            return response
        return self._answered(self._leapfrog.approve(self.now(), request.data), response)

    def _answered(self, decision: Decision, response: SetBool.Response) -> SetBool.Response:
        self._act(decision)
        self._publish_status()
        response.message, response.success = decision.refusal, not decision.refusal
        return response

    def _engage(self) -> str:
        """Take over; gives why not, or nothing."""
        now, commanded = self.now(), self._commanded
        self._warn_of_other_senders()
        if commanded is not None:
            decision = self._leapfrog.engage(now, *commanded.at(now))
        elif self._measured is not None:
            decision = self._leapfrog.engage(now, self._measured)
        else:
            return self._order.fault or "no controller state and no joint states yet"
        if self._settings.clearance_m > 0 and self._leapfrog.guard is None:
            self.get_logger().warning(
                "distances between the arms and to the table are not checked: nothing usable on "
                "robot_description (clearance_m: 0 says that this is meant)"
            )
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
            self._requests.publish(request_to_msg(decision.request, self._spec.joint_names))
        if decision.note:
            self.get_logger().info(decision.note)
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
        blame = self._order.fault if "joint" in reason else self._bad_input
        return f"{reason} ({blame})" if reason and blame else reason


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

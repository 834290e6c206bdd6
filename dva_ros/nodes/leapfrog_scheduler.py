"""``leapfrog_scheduler``: asks for the future, turns the answers into motion, keeps it safe.

It is the only sender of trajectories. Everything it decides is `dva_ros.leapfrog`; this node moves
messages. Deactivation, shutdown and SIGTERM disengage: a smooth stop is the last message.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from rclpy.duration import Duration
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from dva_msgs.msg import ActionChunk, LeapfrogStatus, PredictedClip, PredictionRequest
from dva_msgs.msg import ContextFrame as ContextFrameMsg

from ..errors import UserError
from ..leapfrog.clearance import Clearance
from ..leapfrog.controllers import Controllers
from ..leapfrog.limits import JointLimits
from ..leapfrog.messages import Decision, Mode
from ..leapfrog.prediction_error import PredictionErrorScore
from ..leapfrog.scheduler import Leapfrog
from ..resources import config_path
from ..ros import qos
from ..ros.cell_spec import SpecParameters
from ..ros.controller_links import ControllerLinks
from ..ros.conversions import (
    MessageError,
    chunk_from_msg,
    controller_setpoint_from_msg,
    header,
    leapfrog_frame,
    pixels,
    request_to_msg,
)
from ..ros.diagnostics import Health, Level
from ..ros.joint_order import JointOrder
from ..ros.managed_node import ManagedNode
from ..ros.parameters import declare
from ..ros.process import run_node
from ..ros.scheduler_parameters import LeapfrogSchedulerParameters
from ..ros.trajectory_goals import TrajectoryGoals
from ..ros.trajectory_topics import TrajectoryTopics

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
    """Publishes `~/request`, `~/status` and the controllers' trajectories."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, **options)

    def setup(self) -> None:
        """Read the limits and connect."""
        self._settings = settings = declare(self, LeapfrogSchedulerParameters)
        spec_settings = declare(self, SpecParameters)
        self._spec = spec_settings.spec()
        names = self._spec.joint_names
        limits = JointLimits.load(config_path(settings.joint_limits), names)
        self._boxes = settings.boxes()
        try:
            timing = settings.leapfrog(spec_settings.frame_period_s, spec_settings.time_scaling)
        except ValueError as error:
            raise UserError(f"parameters of {self.get_fully_qualified_name()}: {error}") from error
        self._leapfrog = Leapfrog(timing, limits, names)
        self._controllers = Controllers(settings.controllers, names, timing)
        self._prediction_error = PredictionErrorScore()
        self._clip: PredictedClip | None = None
        self._order = JointOrder(names, self.get_logger().error)
        self._rates_told: set[str] = set()
        self._bad_frames = 0
        self._bad_input = ""
        self._refusal_logged: dict[str, float] = {}
        self._published: tuple[Mode, str] | None = None
        self._engage_wanted = False
        self._links = ControllerLinks(
            self,
            settings.controllers,
            self._sender(settings),
            settings.controller_state_type,
            self._on_controller_state,
        )
        self._requests = self.advertise(PredictionRequest, "~/request", qos.COMMAND)
        self._statuses = self.advertise(LeapfrogStatus, "~/status", qos.STATE)
        self.subscribe(ContextFrameMsg, "camera_context/context", self._on_frame, qos.FRAMES)
        self.subscribe(JointState, "joint_states", self._on_joints, qos.SENSOR)
        self.subscribe(ActionChunk, "inverse_dynamics/chunk", self._on_chunk, qos.COMMAND)
        self.subscribe(PredictedClip, "video_predictor/clip", self._on_clip, qos.COMMAND)
        if settings.clearance_m > 0:
            # It comes once, perhaps before activation.
            self.listen(String, "robot_description", self._on_description, qos.STATE)
        self.serve(Trigger, "~/engage", self._on_engage)
        self.serve(Trigger, "~/disengage", self._on_disengage)
        self.serve(SetBool, "~/hold", self._on_hold)
        self.serve(SetBool, "~/approve", self._on_approve)
        self.every(0.05, self._watch)
        self.every(timing.frame_period_s, self._publish_status)

    def _sender(self, settings: LeapfrogSchedulerParameters) -> TrajectoryTopics | TrajectoryGoals:
        if settings.controller_interface == "action":
            return TrajectoryGoals(self, settings.controllers, self._on_goal_failed)
        return TrajectoryTopics(self, settings.controllers)

    def start(self) -> None:
        """Wait for `~/engage`, or engage once frames come and a predictor listens."""
        self._engage_wanted = self._settings.engage_on_activate

    def stop(self) -> None:
        """Stop the robot smoothly; that is the last message."""
        self._act(self._leapfrog.disengage(self.now(), "deactivated"))
        self._publish_status()
        self._links.wait_until_sent(LAST_WORD_TIMEOUT_S)
        self._statuses.wait_for_all_acked(Duration(seconds=LAST_WORD_TIMEOUT_S))

    def health(self) -> Sequence[Health]:
        """Mode and what the chunks cost; the controllers."""
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
            "prediction error score": f"{status.prediction_error:.1f}",
            "tracking error": f"{status.tracking_error_rad:.3f}",
            "distances": "checked" if self._leapfrog.guard else "not checked",
        }
        message = Mode(status.mode).name.lower()
        reason = self._reason(status.reason)
        if level is not Level.OK and reason:
            message = f"{message}: {reason}"
        return [Health("motion", level, message, values), self._controllers_health()]

    def _controllers_health(self) -> Health:
        fault = self._controllers.check(self.now()) if self.active else ""
        level = Level.WARN if fault else Level.OK
        values = {
            f"{name} state ms": "unknown" if period is None else f"{1e3 * period:.2f}"
            for name, period in self._controllers.periods_s().items()
        }
        return Health("controllers", level, fault or "ok", values)

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
        """Compare a camera frame with its prediction."""
        try:
            real = pixels(message.rgb, 1, message.height, message.width)[0]
        except MessageError as error:
            self._log_refusal(f"context frame {message.frame_index}: {error}", self.now())
            return
        score = self._prediction_error.observed(message.session, message.frame_index, real)
        if score is not None:
            self._act(self._leapfrog.on_prediction_error(self.now(), score))

    def _on_joints(self, message: JointState) -> None:
        positions = self._order.apply(message.name, message.position)
        if positions is None:
            return
        self._act(self._leapfrog.on_joint_states(self.now(), positions))
        ready = (
            self._engage_wanted
            and not self._controllers.check(self.now())
            and not self._links.unready()
            and self._leapfrog.state.frame is not None
            and self._requests.get_subscription_count() > 0
        )
        if ready:
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
            self._expect_frames(message)
        self._publish_status()

    def _expect_frames(self, chunk: ActionChunk) -> None:
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
        executed = range(first, first + self._settings.execution_horizon)
        self._prediction_error.expect(clip.session, clip.frame_index, frames, executed)

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

    def _on_controller_state(self, name: str, message: Any) -> None:
        now = self.now()
        try:
            state = controller_setpoint_from_msg(message)
        except MessageError as error:
            self._log_refusal(f"state of {name}: {error}", now)
            return
        together = self._controllers.heard(name, now, state)
        if together is not None:
            self._act(self._leapfrog.on_commanded(now, *together))

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
        """True: execute the clip that waits; false: have another one predicted."""
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
        now = self.now()
        fault = self._controllers.check(now) or self._links.unready()
        if fault:
            return fault
        self._warn_of_rates()
        self._warn_of_other_senders()
        decision = self._leapfrog.engage(now, *self._controllers.commanded(now))
        if self._settings.clearance_m > 0 and self._leapfrog.guard is None:
            self.get_logger().warning(
                "distances between the arms and to the table are not checked: nothing usable on "
                "robot_description (clearance_m: 0 says that this is meant)"
            )
        self._act(decision)
        self._publish_status()
        return decision.refusal

    def _warn_of_rates(self) -> None:
        """Once of each controller."""
        for name, note in self._controllers.off_rate().items():
            if name not in self._rates_told:
                self._rates_told.add(name)
                self.get_logger().warning(note)

    def _warn_of_other_senders(self) -> None:
        for name, topic in self._links.other_senders():
            self.get_logger().error(
                f"{name} also sends to {topic}: stop it, {NAME} must be the only sender"
            )

    def _watch(self) -> None:
        now = self.now()
        self._act(self._leapfrog.watch(now))
        fault = self._controllers.watch(now)
        if fault:
            self._end(fault)
        status = self._leapfrog.state
        if (status.mode, status.reason) != self._published:
            self._publish_status()

    def _on_goal_failed(self, fault: str) -> None:
        """A controller does not play what the scheduler thinks it plays."""
        if self.active:
            self._end(fault)
            self._publish_status()

    def _end(self, fault: str) -> None:
        """Disengage for a fault of the controllers, where engaged."""
        if self._leapfrog.state.engaged:
            self.get_logger().error(f"disengaged: {fault}")
            self._act(self._leapfrog.disengage(self.now(), fault))

    def _act(self, decision: Decision) -> None:
        if decision.trajectory is not None:
            self._links.send(self._controllers.split(decision.trajectory))
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
            # The message still has the old name of this one.
            setattr(message, "surprise" if name == "prediction_error" else name, _plain(value))
        message.reason = self._reason(status.reason)
        self._published = (Mode(status.mode), status.reason)
        self._statuses.publish(message)

    def _reason(self, reason: str) -> str:
        """The scheduler's reason, with the source that is to blame where this node knows it."""
        if "controller" in reason:
            return reason
        blame = self._order.fault if "joint" in reason else self._bad_input
        return f"{reason} ({blame})" if reason and blame else reason


def _plain(value: Any) -> Any:
    if isinstance(value, (Mode, np.integer)):
        return int(value)
    return float(value) if isinstance(value, np.floating) else value


def main() -> int:
    """Run the node."""
    return run_node(LeapfrogSchedulerNode)


if __name__ == "__main__":
    sys.exit(main())

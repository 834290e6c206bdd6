"""Watches what goes over the wire and what the robot does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rclpy.context import Context
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import ContextFrame, ControllerState, LeapfrogStatus

from ...cell.timing import CONTROL_PERIOD_S
from ...evaluation.command_log import CommandLog
from ...leapfrog.limits import JointLimits
from ...leapfrog.motion import Motion
from ...leapfrog.sent_trajectory import played_motion
from ...leapfrog.splice import violation
from ...ros import qos
from ...ros.conversions import seconds_of, trajectory_from_msg

CONTROLLER = "joint_trajectory_controller"
_AT_REST = 1e-6


@dataclass(frozen=True)
class Sent:
    """A trajectory on the wire.

    Attributes:
        time: when it was heard, on the controller's clock, s.
        motion: what a controller plays for it.
    """

    time: float
    motion: Motion

    def unsafe(self, limits: JointLimits) -> str:
        """What is wrong with it, in words; empty if nothing is."""
        if np.abs(self.motion.velocities[-1]).max() > _AT_REST:
            return "it does not end at rest"
        if not np.isfinite(self.motion.positions).all():
            return "a position is not finite"
        return violation(self.motion, limits)


class Monitor(Node):
    """Collects commands, trajectories and the scheduler's status.

    Attributes:
        commands: what the controller commanded.
        sent: trajectories, in order.
        status: of the scheduler, the newest.
        reasons: what the scheduler said when it did not go on, in order.
        session: of the newest context frame.
    """

    def __init__(self, context: Context, limits: JointLimits) -> None:
        super().__init__("fault_monitor", context=context)
        self.commands = CommandLog(limits, CONTROL_PERIOD_S)
        self.sent: list[Sent] = []
        self.status = LeapfrogStatus()
        self.reasons: list[str] = []
        self.session = 0
        topic = f"{CONTROLLER}/controller_state"
        self.create_subscription(ControllerState, topic, self._on_command, qos.reliable(100))
        topic = f"{CONTROLLER}/joint_trajectory"
        self.create_subscription(JointTrajectory, topic, self._on_trajectory, qos.reliable(100))
        topic = "leapfrog_scheduler/status"
        self.create_subscription(LeapfrogStatus, topic, self._on_status, qos.reliable(100))
        topic = "camera_context/context"
        self.create_subscription(ContextFrame, topic, self._on_frame, qos.FRAMES)

    def says(self) -> str:
        """The scheduler's newest words."""
        stamp = seconds_of(self.status.header.stamp)
        return f"mode {self.status.mode}, '{self.status.reason}' at {stamp:.2f} s"

    def _on_command(self, message: ControllerState) -> None:
        positions = np.array(message.output.positions)
        self.commands.add(seconds_of(message.header.stamp), positions)

    def _on_trajectory(self, message: JointTrajectory) -> None:
        time = self.commands.newest
        if time is not None:
            self.sent.append(Sent(time, played_motion(trajectory_from_msg(message))))

    def _on_status(self, message: LeapfrogStatus) -> None:
        self.status = message
        if message.reason and message.mode != LeapfrogStatus.MODE_ENGAGED:
            self.reasons.append(message.reason)

    def _on_frame(self, message: ContextFrame) -> None:
        self.session = message.session

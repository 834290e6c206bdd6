"""Trajectories as goals of the controllers' ``FollowJointTrajectory`` actions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from trajectory_msgs.msg import JointTrajectory

from ..errors import UserError
from .managed_node import ManagedNode

_DELIVERY_S = 0.1
"""In which a goal that was written reaches its server; it cannot be asked before callbacks run."""


class TrajectoryGoals:
    """One action client for each controller; they live until teardown.

    A goal replaces the one before it, as a message on the topic would. Unlike a message it is
    answered: a controller that does not take it, or gives it up, says so. What became of goals
    that newer ones have replaced does not matter.

    Args:
        node: that sends.
        names: of the controllers.
        on_failure: hears that the newest goal of a controller was refused or given up, and why.

    Raises:
        UserError: `control_msgs` is not installed.
    """

    def __init__(
        self, node: ManagedNode, names: Sequence[str], on_failure: Callable[[str], None]
    ) -> None:
        try:
            from control_msgs.action import FollowJointTrajectory
        except ImportError as error:
            raise UserError(
                "controller_interface is action, but control_msgs is not installed: "
                "sudo apt-get install ros-$ROS_DISTRO-control-msgs"
            ) from error
        self._goal = FollowJointTrajectory.Goal
        self._on_failure = on_failure
        self._clients = {
            name: node.own(
                ActionClient(node, FollowJointTrajectory, f"{name}/follow_joint_trajectory"),
                ActionClient.destroy,
            )
            for name in names
        }
        self._newest = dict.fromkeys(names, 0)

    def unready(self) -> str:
        """Why nothing can be sent; empty if it can."""
        for name, client in self._clients.items():
            if not client.server_is_ready():
                return f"controller {name} has no action follow_joint_trajectory"
        return ""

    def send(self, messages: Mapping[str, JointTrajectory]) -> None:
        """Send every controller its part, with nothing in between."""
        goals = {name: self._goal(trajectory=message) for name, message in messages.items()}
        for name, goal in goals.items():
            self._newest[name] += 1
            answered = self._clients[name].send_goal_async(goal)
            answered.add_done_callback(partial(self._answered, name, self._newest[name]))

    def wait_until_sent(self, timeout_s: float) -> None:
        """Leave the middleware time to deliver."""
        time.sleep(min(timeout_s, _DELIVERY_S))

    def _answered(self, name: str, number: int, future: Any) -> None:
        handle = future.result()
        if not handle.accepted:
            self._failed(name, number, "refused a trajectory")
            return
        handle.get_result_async().add_done_callback(partial(self._ended, name, number))

    def _ended(self, name: str, number: int, future: Any) -> None:
        answer = future.result()
        if answer.status != GoalStatus.STATUS_SUCCEEDED:
            words = answer.result.error_string or f"error code {answer.result.error_code}"
            self._failed(name, number, f"gave up a trajectory: {words}")

    def _failed(self, name: str, number: int, what: str) -> None:
        if number == self._newest[name]:
            self._on_failure(f"controller {name} {what}")

"""Emulated joint_trajectory_controllers on their topics, which can be deactivated."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import ControllerState
from dva_ros.cell.controller import (
    ControllerParameters,
    Generation,
    JointState,
    JointTrajectoryController,
)
from dva_ros.ros import qos
from dva_ros.ros.conversions import controller_state_to_msg, seconds_of, trajectory_from_msg

PERIOD_S = 0.02


class EmulatedControllers:
    """Controllers at 50 Hz that start at zero and whose commands are reached at once.

    Attributes:
        controllers: by name.
        refusals: what they refused, and why.
        position: joint -> what is commanded.
    """

    def __init__(self, node: Node, groups: Mapping[str, tuple[str, ...]]) -> None:
        parameters = ControllerParameters(
            interpolate_from_desired_state=True, update_rate=round(1 / PERIOD_S)
        )
        self._node = node
        self.controllers = {
            name: JointTrajectoryController(joints, Generation.JAZZY, parameters)
            for name, joints in groups.items()
        }
        self.refusals: list[str] = []
        self.position = {joint: 0.0 for joints in groups.values() for joint in joints}
        self._states = {
            name: node.create_publisher(
                ControllerState, f"{name}/controller_state", qos.reliable(10)
            )
            for name in groups
        }
        for name in groups:
            node.create_subscription(
                JointTrajectory, f"{name}/joint_trajectory", partial(self.take, name), qos.COMMAND
            )

    def start(self) -> None:
        """Run while the node is spun."""
        self._node.create_timer(PERIOD_S, self._update)

    def _now(self) -> float:
        return seconds_of(self._node.get_clock().now())

    def take(self, name: str, message: JointTrajectory) -> None:
        """Hand a trajectory to a controller."""
        refusal = self.controllers[name].submit(trajectory_from_msg(message), self._now())
        if refusal is not None:
            self.refusals.append(f"{name}: {refusal}")

    def _update(self) -> None:
        now = self._now()
        for name, controller in self.controllers.items():
            joints = controller.joint_names
            measured = np.array([self.position[joint] for joint in joints])
            output = controller.update(now, JointState(measured, np.zeros(len(joints))))
            self.position.update(zip(joints, output.tolist(), strict=True))
            if controller.active and controller.state is not None:
                self._states[name].publish(controller_state_to_msg(joints, controller.state, now))

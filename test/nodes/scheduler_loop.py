"""Context, scheduler and controllers of one process, and a model that always says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from emulated_controllers import EmulatedControllers
from rclpy.parameter import Parameter
from robot_inputs import RobotInputs
from ros_graph import Graph
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import ActionChunk, LeapfrogStatus, PredictionRequest
from dva_ros.nodes.camera_context import CameraContextNode
from dva_ros.nodes.leapfrog_scheduler import LeapfrogSchedulerNode
from dva_ros.ros import qos
from dva_ros.spec import EMBEDDED_CELL

HORIZON = 8
JOINTS = EMBEDDED_CELL.joint_names
ONE = {"joint_trajectory_controller": JOINTS}
FOUR = {
    "right_gripper_controller": JOINTS[13:],
    "left_arm_controller": JOINTS[:6],
    "right_arm_controller": tuple(reversed(JOINTS[7:13])),
    "left_gripper_controller": JOINTS[6:7],
}


class Loop:
    """Context, scheduler and controllers; the test answers requests with a slow sweep of the
    left waist. `parameters` are the scheduler's, `shared` all nodes'.

    Attributes:
        sent: controller -> the messages to it.
        trajectories: those to the controller of the left waist.
    """

    def __init__(
        self,
        graph: Graph,
        parameters: Sequence[Parameter] = (),
        groups: Mapping[str, tuple[str, ...]] = ONE,
        shared: Sequence[Parameter] = (),
    ) -> None:
        self.graph = graph
        graph.add_active(CameraContextNode(parameter_overrides=list(shared)))
        self.emulation = EmulatedControllers(graph.client, groups)
        self.emulation.start()
        self.scheduler = graph.add_active(
            LeapfrogSchedulerNode(
                parameter_overrides=[
                    Parameter("controller_period_s", value=0.02),
                    *parameters,
                    *shared,
                ]
            )
        )
        self.sent = {
            name: graph.collect(JointTrajectory, f"{name}/joint_trajectory", qos.reliable(100))
            for name in groups
        }
        self.trajectories = next(self.sent[name] for name in groups if JOINTS[0] in groups[name])
        self.statuses = graph.collect(
            LeapfrogStatus, "leapfrog_scheduler/status", qos.reliable(100)
        )
        self._chunks = graph.client.create_publisher(
            ActionChunk, "inverse_dynamics/chunk", qos.COMMAND
        )
        graph.client.create_subscription(
            PredictionRequest, "leapfrog_scheduler/request", self._answer, qos.COMMAND
        )
        self.bad_value: float | None = None
        self.inputs = RobotInputs(graph.client)
        self.inputs.start()
        graph.spin_until(lambda: self.statuses and self.statuses[-1].frame_index >= 2)

    def engage(self) -> None:
        assert self.graph.call(Trigger, "leapfrog_scheduler/engage", Trigger.Request()).success

    def _answer(self, request: PredictionRequest) -> None:
        joints = EMBEDDED_CELL.num_joints
        committed = np.array(request.committed).reshape(-1, joints)
        ahead = np.arange(1, HORIZON + 1)[:, None] - len(committed)
        start = committed[-1] if len(committed) else np.zeros(joints)
        targets = start + 0.015 * ahead * np.eye(joints)[0]
        targets[: len(committed)] = committed
        if self.bad_value is not None:
            targets[-1, 5] = self.bad_value
        chunk = ActionChunk(
            session=request.session,
            request_id=request.request_id,
            chunk_id=request.request_id,
            frame_index=request.frame_index,
            num_frames=HORIZON,
            joint_names=request.joint_names,
            positions=targets.ravel().tolist(),
        )
        self._chunks.publish(chunk)


def ends_at_rest(message: JointTrajectory) -> bool:
    return bool(np.allclose(message.points[-1].velocities, 0.0))

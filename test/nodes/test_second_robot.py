"""A cell that shares nothing with ours, from its topics to its controllers.

Seven joints an arm under other names, three cameras of which one sends JPEG, one YUV and one
needs its lens undone, three controllers, a namespace. Untrained models, the real nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

import rclpy  # noqa: E402
from emulated_controllers import EmulatedControllers  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from ros_graph import Graph  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402
from tiny_models import write_tiny_models  # noqa: E402
from trajectory_msgs.msg import JointTrajectory  # noqa: E402

from dva_msgs.msg import ContextFrame, LeapfrogStatus  # noqa: E402
from dva_ros.nodes.camera_context import CameraContextNode  # noqa: E402
from dva_ros.nodes.inverse_dynamics import InverseDynamicsNode  # noqa: E402
from dva_ros.nodes.leapfrog_scheduler import LeapfrogSchedulerNode  # noqa: E402
from dva_ros.nodes.video_predictor import VideoPredictorNode  # noqa: E402
from dva_ros.ros import qos  # noqa: E402
from dva_ros.ros.conversions import (  # noqa: E402
    header,
    image_to_msg,
    joint_state_to_msg,
    seconds_of,
)
from dva_ros.spec import CameraSpec, CellSpec  # noqa: E402

NAMESPACE = "/lab/bench_2"
NORTH, SOUTH = (tuple(f"{arm}_panda_joint{n}" for n in range(1, 8)) for arm in ("north", "south"))
GRIPPERS = ("north_finger_gripper", "south_finger_gripper")
JOINTS = (*NORTH, *SOUTH, *GRIPPERS)
GROUPS = {
    "north_arm_controller": NORTH,
    "south_arm_controller": tuple(reversed(SOUTH)),
    "hands_controller": GRIPPERS,
}
SPEC = CellSpec(
    cameras=(
        CameraSpec("ceiling", 64, 64),
        CameraSpec("north_wrist", 32, 64),
        CameraSpec("south_wrist", 32, 64),
    ),
    joint_names=JOINTS,
    frame_period_s=0.2,
)
SIZES = {"ceiling": (96, 128), "north_wrist": (48, 64), "south_wrist": (32, 64)}
SPEED = 0.3
AHEAD = {"north_panda_joint4": 0.1, "south_panda_joint7": -0.1, "north_finger_gripper": 0.01}


def write_limits(path: Path) -> None:
    """One file for this robot; its speed is less than what the models ask for."""
    arm = {f"has_{kind}_limits": True for kind in ("position", "velocity", "acceleration", "jerk")}
    arm |= {"min_position": -0.4, "max_position": 0.4, "max_velocity": SPEED}
    arm |= {"max_acceleration": 3.0, "max_jerk": 60.0}
    arm |= {"correction": 0.5, "jump": 0.5, "tracking": 0.4}
    hand = arm | {"min_position": -0.01, "max_position": 0.04, "max_velocity": 0.1}
    limits = {name: hand if name in GRIPPERS else arm for name in JOINTS}
    path.write_text(yaml.safe_dump({"joint_limits": limits}))


class Robot:
    """Its cameras, its encoders and its controllers, on its own topics."""

    def __init__(self, graph: Graph) -> None:
        self.node = graph.add(rclpy.create_node("robot", namespace=NAMESPACE))
        self.controllers = EmulatedControllers(self.node, GROUPS)
        self.controllers.start()
        self._rng = np.random.default_rng(0)
        self._ceiling = self._publisher(Image, "ceiling/image_raw")
        self._info = self._publisher(CameraInfo, "ceiling/camera_info")
        self._north = self._publisher(CompressedImage, "north_wrist/image_raw/compressed")
        self._south = self._publisher(Image, "south_wrist/image_raw")
        self._joints = self._publisher(JointState, "joint_states")
        self.node.create_timer(0.1, self._look)
        self.node.create_timer(0.02, self._measure)

    def _publisher(self, kind: type, topic: str) -> object:
        return self.node.create_publisher(kind, topic, qos.reliable(10))

    def _now(self) -> float:
        return seconds_of(self.node.get_clock().now())

    def _measure(self) -> None:
        """In another order than the spec's, with a joint that is none of the cell's."""
        names = ("rail", *sorted(JOINTS))
        position = np.array([0.0, *(self.controllers.position[name] for name in names[1:])])
        self._joints.publish(joint_state_to_msg(names, position, position * 0, self._now()))

    def _look(self) -> None:
        now = self._now()
        pixels = {
            name: self._rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            for name, size in SIZES.items()
        }
        self._info.publish(
            CameraInfo(
                header=header(now),
                height=96,
                width=128,
                distortion_model="plumb_bob",
                d=[-0.2, 0.05, 0.0, 0.0, 0.0],
                k=[100.0, 0.0, 64.0, 0.0, 100.0, 48.0, 0.0, 0.0, 1.0],
                p=[100.0, 0.0, 64.0, 0.0, 0.0, 100.0, 48.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            )
        )
        self._ceiling.publish(image_to_msg(pixels["ceiling"], now, "ceiling"))
        jpeg = CompressedImage(header=header(now), format="rgb8; jpeg compressed bgr8")
        jpeg.data.frombytes(cv2.imencode(".jpg", pixels["north_wrist"])[1].tobytes())
        self._north.publish(jpeg)
        yuyv = Image(header=header(now), height=32, width=64, encoding="yuv422_yuy2", step=128)
        yuyv.data.frombytes(np.ascontiguousarray(pixels["south_wrist"][..., :2]))
        self._south.publish(yuyv)


class Cell:
    """The robot and the four nodes, configured for it."""

    def __init__(self, graph: Graph, models: Path, limits: Path) -> None:
        self.graph = graph
        self.robot = Robot(graph)
        spec = {
            "cameras": [camera.name for camera in SPEC.cameras],
            "mosaic_heights": [camera.height for camera in SPEC.cameras],
            "mosaic_width": SPEC.mosaic_width,
            "joints": list(JOINTS),
            "frame_period_s": SPEC.frame_period_s,
        }
        self._start(
            CameraContextNode,
            spec
            | {
                "native_heights": [SIZES[camera.name][0] for camera in SPEC.cameras],
                "native_widths": [SIZES[camera.name][1] for camera in SPEC.cameras],
                "transports": ["raw", "compressed", "raw"],
                "rectify": [True, False, False],
                "crop": [16, 0, 96, 96, 0, 8, 64, 32, 0, 0, 0, 0],
            },
        )
        self._start(VideoPredictorNode, spec | {"checkpoint": str(models / "video")})
        folder = str(models / "inverse_dynamics")
        self._start(InverseDynamicsNode, spec | {"checkpoint": folder})
        self._start(
            LeapfrogSchedulerNode,
            spec
            | {
                "controllers": list(GROUPS),
                "controller_period_s": 0.02,
                "joint_limits": str(limits),
                "clearance_m": 0.0,
                "stale_timeout_s": 1.0,
            },
        )
        self.frames = graph.collect(
            ContextFrame, f"{NAMESPACE}/camera_context/context", qos.FRAMES
        )
        self.statuses = graph.collect(
            LeapfrogStatus, f"{NAMESPACE}/leapfrog_scheduler/status", qos.reliable(100)
        )
        self.sent = {
            name: graph.collect(
                JointTrajectory, f"{NAMESPACE}/{name}/joint_trajectory", qos.reliable(100)
            )
            for name in GROUPS
        }

    def _start(self, build: Callable[..., object], parameters: dict[str, object]) -> None:
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        node = build(namespace=NAMESPACE, parameter_overrides=overrides)
        self.graph.add_active(node)


@pytest.fixture
def cell(graph: Graph, tmp_path: Path) -> Cell:
    write_limits(tmp_path / "limits.yaml")
    models = write_tiny_models(tmp_path / "models", SPEC, AHEAD)
    return Cell(graph, models, tmp_path / "limits.yaml")


def test_another_robot_moves_by_its_own_names_within_its_own_limits(cell: Cell) -> None:
    graph, robot = cell.graph, cell.robot.controllers
    graph.spin_until(lambda: cell.frames and cell.frames[-1].frame_index >= 3, 30)
    answer = graph.call(Trigger, f"{NAMESPACE}/leapfrog_scheduler/engage", Trigger.Request())
    assert answer.success, answer.message
    graph.spin_until(lambda: all(abs(robot.position[j]) > 0.3 * abs(AHEAD[j]) for j in AHEAD), 60)

    frame = next(f for f in reversed(cell.frames) if not any(f.camera_missing))
    assert (frame.height, frame.width) == (128, 64)
    assert list(frame.cameras) == [camera.name for camera in SPEC.cameras]
    assert robot.refusals == []
    for name, joints in GROUPS.items():
        assert cell.sent[name]
        assert all(set(message.joint_names) == set(joints) for message in cell.sent[name])
    assert all(robot.position[joint] * ahead > 0 for joint, ahead in AHEAD.items())
    for joint in set(JOINTS) - set(AHEAD):
        assert abs(robot.position[joint]) < 1e-3
    for messages in cell.sent.values():
        for point in (point for message in messages for point in message.points):
            assert np.abs(point.positions).max() <= 0.4 + 1e-6
            assert np.abs(point.velocities).max() <= SPEED + 1e-6

"""``camera_context`` with real messages: frames, faults by name, the context for latecomers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from robot_inputs import RobotInputs  # noqa: E402
from ros_graph import Graph  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from dva_msgs.msg import ContextFrame  # noqa: E402
from dva_msgs.srv import ClearContext, GetContext  # noqa: E402
from dva_ros.nodes.camera_context import CameraContextNode  # noqa: E402
from dva_ros.ros import qos  # noqa: E402


class Cell:
    """The node under test, its inputs and what it says."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.node = graph.add_active(CameraContextNode())
        self.inputs = RobotInputs(graph.client)
        self.frames: list[ContextFrame] = graph.collect(
            ContextFrame, "camera_context/context", qos.FRAMES
        )
        self.health: list[DiagnosticArray] = graph.collect(
            DiagnosticArray, "/diagnostics", qos.reliable(5)
        )
        self.inputs.start()
        graph.spin_until(lambda: len(self.frames) >= 3)

    def error_of(self, source: str) -> str:
        """Wait for an error about a source and give its message."""

        def found() -> list[str]:
            return [
                status.message
                for array in self.health
                for status in array.status
                if status.name == f"camera_context: {source}"
                and status.level == DiagnosticStatus.ERROR
            ]

        self.health.clear()
        self.graph.spin_until(found)
        return found()[0]


@pytest.fixture
def cell(graph: Graph) -> Cell:
    return Cell(graph)


def test_frames_count_up_and_are_good(cell: Cell) -> None:
    cell.graph.spin_until(lambda: len(cell.frames) >= 8)
    indices = [frame.frame_index for frame in cell.frames]
    assert indices == list(range(indices[0], indices[0] + len(indices)))
    good = [not any(frame.camera_missing) for frame in cell.frames]
    assert sum(good) > len(good) // 2
    assert cell.frames[-1].joint_names[0] == "left_waist"


def test_a_lost_camera_is_an_error_by_its_name(cell: Cell) -> None:
    cell.inputs.without.add("front")
    assert "no new image" in cell.error_of("front")
    cell.frames.clear()
    cell.graph.spin_until(lambda: len(cell.frames) >= 2)
    assert all(frame.camera_missing[1] for frame in cell.frames)


def test_another_encoding_is_an_error_that_names_both(cell: Cell) -> None:
    cell.inputs.encoding["front"] = "32FC1"
    message = cell.error_of("front")
    assert "32FC1" in message
    assert "rgb8" in message


def test_another_size_is_an_error_that_names_both(cell: Cell) -> None:
    cell.inputs.shape["overhead"] = (50, 70)
    message = cell.error_of("overhead")
    assert "50x70x3" in message
    assert "96x128x3" in message


def test_nan_in_the_joint_states_names_the_joint(cell: Cell) -> None:
    cell.inputs.position[3] = np.nan
    assert cell.error_of("joint_states") == "not finite: left_forearm_roll"
    cell.frames.clear()
    cell.graph.spin_until(lambda: len(cell.frames) >= 3)
    assert cell.frames[-1].joints_missing


def test_clear_begins_a_session_with_the_instruction(cell: Cell) -> None:
    answer = cell.graph.call(
        ClearContext, "camera_context/clear_context", ClearContext.Request(instruction="lift")
    )
    assert answer.success
    cell.graph.spin_until(lambda: cell.frames[-1].session == answer.session)
    assert cell.frames[-1].instruction == "lift"


def test_a_latecomer_gets_all_frames_so_far(cell: Cell) -> None:
    cell.graph.spin_until(lambda: cell.frames[-1].frame_index >= 6)
    answer = cell.graph.call(GetContext, "camera_context/get_context", GetContext.Request())
    assert [f.frame_index for f in answer.frames][:5] == [0, 1, 2, 3, 4]
    newest = cell.graph.call(
        GetContext, "camera_context/get_context", GetContext.Request(max_frames=2)
    )
    assert len(newest.frames) == 2


def test_a_new_instruction_begins_a_session_the_same_one_does_not(cell: Cell) -> None:
    publisher = cell.graph.client.create_publisher(String, "instruction", qos.STATE)
    publisher.publish(String(data="lift the box"))
    cell.graph.spin_until(lambda: cell.frames[-1].instruction == "lift the box")
    session = cell.frames[-1].session
    publisher.publish(String(data="lift the box"))
    cell.graph.spin(0.5)
    assert cell.frames[-1].session == session

"""For `launch_test`, run by test_graph.py: the simulated cell and the nodes, with respawn."""

from __future__ import annotations

import os
import signal
import unittest
from pathlib import Path
from typing import Any

import launch_testing
import pytest
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_testing.actions import ReadyToTest
from lifecycle_msgs.msg import State, Transition
from lifecycles import Lifecycles
from running_program import find_process

from dva_msgs.msg import ActionChunk, ContextFrame
from dva_ros.ros import qos

FILE = Path(__file__).resolve().parents[2] / "launch/mujoco.launch.py"
NAMESPACE = "/bringup"
NODES = ("cell", "camera_context", "video_predictor", "inverse_dynamics", "leapfrog_scheduler")
START_S = 300.0


@pytest.mark.launch_test
def generate_test_description() -> LaunchDescription:
    graph = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(FILE)),
        launch_arguments={
            "namespace": NAMESPACE,
            "use_respawn": "true",
            "params_file": LaunchConfiguration("params_file"),
        }.items(),
    )
    return LaunchDescription([DeclareLaunchArgument("params_file"), graph, ReadyToTest()])


def pid_of(node: str) -> int | None:
    """The process of a node of this launch."""
    return find_process(f"__node:={node}", f"__ns:={NAMESPACE}")


class TestGraph(unittest.TestCase):
    """In the order of their names, on one graph."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.graph = Lifecycles(NAMESPACE, NODES)
        cls.frames: list[Any] = []
        cls.chunks: list[Any] = []
        node = cls.graph.node
        node.create_subscription(
            ContextFrame, f"{NAMESPACE}/camera_context/context", cls.frames.append, qos.FRAMES
        )
        node.create_subscription(
            ActionChunk, f"{NAMESPACE}/inverse_dynamics/chunk", cls.chunks.append, qos.COMMAND
        )

    @classmethod
    def tearDownClass(cls) -> None:
        cls.graph.close()

    def test_1_a_node_starts_when_the_one_before_it_is_active(self) -> None:
        def all_active() -> bool:
            states = [self.graph.state(name) for name in reversed(NODES)][::-1]
            running = [state is not None for state in states]
            active = [state == State.PRIMARY_STATE_ACTIVE for state in states]
            assert all(b or not later for b, later in zip(active, running[1:], strict=False))
            return all(active)

        self.graph.until(all_active, START_S)
        self.graph.until(lambda: len(self.chunks) >= 3)

    def test_2_a_node_obeys_a_lifecycle_manager(self) -> None:
        self.graph.change("camera_context", Transition.TRANSITION_DEACTIVATE)
        assert self.graph.state("camera_context") == State.PRIMARY_STATE_INACTIVE
        self.graph.spin(2.0)  # Frames of before are heard.
        self.frames.clear()
        self.graph.spin(1.0)
        assert not self.frames
        self.graph.change("camera_context", Transition.TRANSITION_ACTIVATE)
        self.graph.until(lambda: self.frames)
        self.chunks.clear()
        self.graph.until(lambda: len(self.chunks) >= 3)

    def test_3_a_killed_node_comes_back_active(self) -> None:
        killed = pid_of("inverse_dynamics")
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        self.graph.until(lambda: pid_of("inverse_dynamics") not in (None, killed))
        self.chunks.clear()
        self.graph.until(lambda: len(self.chunks) >= 3)
        self.graph.until(lambda: self.graph.is_active("inverse_dynamics"))


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    def test_all_nodes_ended_in_an_orderly_way(self, proc_info: Any) -> None:
        names = [name.rsplit("-", 1)[0] for name in proc_info.process_names()]
        assert sorted(names) == sorted(NODES)
        launch_testing.asserts.assertExitCodes(proc_info)

"""Records the scripted expert through ROS: the cell, its controller's topic and the recorder."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from std_srvs.srv import Trigger
from tqdm import tqdm
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import TaskStatus
from dva_msgs.srv import ResetCell

from ...bringup.graph import (
    CELL,
    GRAPH,
    GraphNode,
    GraphOptions,
    middleware,
)
from ...bringup.graph_client import RunningGraph
from ...cell.simulation import Cell
from ...cell.tasks import find_task
from ...cell.timing import CONTROL_PERIOD_S
from ...data.expert_plan import ExpertPlan, plan_expert
from ...errors import UserError
from ...nodes.cell import CONTROLLER
from ...nodes.recorder import RecorderNode
from ...resources import config_path
from ...ros import qos
from ...ros.conversions import trajectory_to_msg
from ..errors import RecordingError

AFTER_MOTION_S = 1.0
SETTLE_S = 0.5
"""From the reset of the scene to the start of the episode."""
START_TIMEOUT_S = 20.0
SLOWEST = 5.0
"""How much slower than real time a busy machine may be."""


@dataclass(frozen=True)
class ExpertRecording:
    """What to record.

    Attributes:
        task: name of the task.
        episodes: how many scenes.
        seed: of the first scene; the next ones count up. Scenes are of the split "train".
    """

    task: str
    episodes: int
    seed: int


@dataclass(frozen=True)
class ExpertRecorded:
    """What was recorded."""

    path: Path
    succeeded: int


class _OnlyCell(GraphOptions):
    """The graph without the nodes that would drive."""

    def nodes(self) -> Sequence[GraphNode]:
        return [node for node in GRAPH if node.name == CELL]


class ExpertClient(Node):
    """Sends trajectories to the cell's controller and hears the task's judgement."""

    def __init__(self, context: Context) -> None:
        super().__init__("expert", context=context)
        self.task: TaskStatus | None = None
        self._sender = self.create_publisher(
            JointTrajectory, f"{CONTROLLER}/joint_trajectory", qos.COMMAND
        )
        self.create_subscription(TaskStatus, "cell/task_status", self._on_task, qos.STATE)

    def send(self, plan: ExpertPlan) -> None:
        """Play the plan from now on."""
        names = Cell.spec.joint_names
        self._sender.publish(trajectory_to_msg(plan.trajectory(names)))

    def listened_to(self) -> bool:
        """Whether the controller hears this node."""
        return self._sender.get_subscription_count() > 0

    def elapsed_s(self, seed: int) -> float:
        """Simulated time since this scene began; -1 where it is not the cell's."""
        known = self.task is not None and self.task.seed == seed
        return float(self.task.elapsed_s) if self.task is not None and known else -1.0

    def succeeded(self, seed: int) -> bool:
        """Whether the cell says that the task of this scene is fulfilled."""
        return self.task is not None and self.task.seed == seed and self.task.success

    def _on_task(self, message: TaskStatus) -> None:
        self.task = message


def record_expert(wanted: ExpertRecording, arguments: list[str]) -> ExpertRecorded:
    """Start the cell and a recorder, play and mark every episode, stop both.

    The expert plans in its own copy of the scene, since it needs to see what no topic shows; the
    plan goes through the controller's topic, and the cell judges what came of it.

    Args:
        wanted: task and scenes.
        arguments: of the recorder, as on its command line.

    Raises:
        UserError: the cell or the recorder cannot start or fails, or another graph runs in this
            ROS domain.
    """
    os.environ.update(middleware())
    context = Context()
    rclpy.init(args=arguments, context=context)
    try:
        recorder = RecorderNode(context=context)
        client = ExpertClient(context)
        if recorder.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
            raise RecordingError(recorder.failure)
        recorder.trigger_activate()
        assert recorder.bag is not None
        path = recorder.bag.path
        options = _OnlyCell(config_path("cell"), overrides={CELL: {"task": wanted.task}})
        with RunningGraph(context, options, [client]) as graph, _spinning(recorder, context):
            succeeded = _Session(wanted, recorder, client, graph).run()
        return ExpertRecorded(path, succeeded)
    finally:
        recorder.finish()
        rclpy.try_shutdown(context=context)


@contextmanager
def _spinning(node: Node, context: Context) -> Iterator[None]:
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, name="recorder")
    thread.start()
    try:
        yield
    finally:
        executor.shutdown()
        thread.join()


class _Session:
    def __init__(
        self,
        wanted: ExpertRecording,
        recorder: RecorderNode,
        client: ExpertClient,
        graph: RunningGraph,
    ) -> None:
        self._wanted = wanted
        self._recorder = recorder
        self._client = client
        self._graph = graph
        self._planner = Cell()

    def run(self) -> int:
        """All episodes; gives how many succeeded."""
        succeeded = 0
        self._graph.wait(self._client.listened_to, "the cell's controller")
        seeds = range(self._wanted.seed, self._wanted.seed + self._wanted.episodes)
        bar = tqdm(seeds, unit="episode", desc=self._wanted.task, disable=None)
        for seed in bar:
            succeeded += self._episode(seed)
            bar.set_postfix_str(f"{succeeded} succeeded")
        self._planner.close()
        return succeeded

    def _episode(self, seed: int) -> bool:
        task = self._wanted.task
        plan = plan_expert(self._planner, find_task(task), seed, "train")
        request = ResetCell.Request(task=task, seed=seed, split="train")
        self._graph.call(ResetCell, "cell/reset", request)
        self._wait_for(seed, SETTLE_S)
        self._graph.wait(self._begin, "the recorder to hear the cell", START_TIMEOUT_S)
        self._client.send(plan)
        motion_s = len(plan.commands) * CONTROL_PERIOD_S
        self._wait_for(seed, self._client.elapsed_s(seed) + motion_s + AFTER_MOTION_S)
        success = self._client.succeeded(seed)
        self._mark("success" if success else "failure")
        return success

    def _mark(self, kind: str) -> None:
        self._graph.call(Trigger, f"recorder/{kind}", Trigger.Request())

    def _begin(self) -> bool:
        """Start an episode; False while the recorder refuses, since a busy cell is silent."""
        try:
            self._mark("start")
        except UserError:
            if self._recorder.broken.is_set():
                raise UserError(self._recorder.failure) from None
            return False
        return True

    def _wait_for(self, seed: int, elapsed_s: float) -> None:
        """Wait for a moment of the scene, in the cell's own time: it may be slower."""

        def reached() -> bool:
            if self._recorder.broken.is_set():
                raise UserError(self._recorder.failure)
            return self._client.elapsed_s(seed) >= elapsed_s

        self._graph.wait(reached, "the cell's time to pass", SLOWEST * elapsed_s + START_TIMEOUT_S)

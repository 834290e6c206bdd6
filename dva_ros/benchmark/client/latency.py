"""Latency from a camera's stamp to the trajectory, through the whole running graph."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.context import Context
from rclpy.node import Node
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import ActionChunk, ContextFrame, LeapfrogStatus
from dva_msgs.srv import ClearContext, ResetCell

from ...bringup.graph import GraphOptions
from ...bringup.graph_client import POLL_S, RunningGraph, ros_context
from ...errors import UserError
from ...resources import config_path
from ...ros import qos
from ...ros.conversions import seconds_of
from ...ros.scheduler_parameters import LeapfrogSchedulerParameters
from ...spec import EMBEDDED_CELL

COLD_START = 2
"""First chunks after engaging that do not count."""

PATIENCE_S = 10.0
"""Beyond the time that the context takes to fill."""


@dataclass(frozen=True)
class GraphLoad:
    """What runs while latency is measured.

    Attributes:
        video, inverse_dynamics: checkpoint folders.
        context_frames: frames of memory, full before the measurement begins.
        num_steps: denoising steps; None for the checkpoint's own.
        seconds: length of the measurement.
        task: what the cell does meanwhile.
    """

    video: Path
    inverse_dynamics: Path
    context_frames: int = 256
    num_steps: int | None = None
    seconds: float = 30.0
    task: str = "pick_place"

    @property
    def num_frames(self) -> int:
        """Context frames from the first to the end of the measurement, about."""
        return self.context_frames + round(self.seconds / EMBEDDED_CELL.frame_period_s)


@dataclass(frozen=True)
class LatencyParts:
    """Where the time of one chunk went, s; together its latency.

    Attributes:
        context: from the frame's grid time until it was published.
        prediction: of the video, from the request's arrival on.
        inverse_dynamics: from the clip's arrival on.
        scheduler: from the chunk's arrival until the last controller's trajectory is sent.
        messages: the rest: four messages between nodes.
    """

    context: float
    prediction: float
    inverse_dynamics: float
    scheduler: float
    messages: float


@dataclass(frozen=True)
class GraphLatency:
    """What was measured.

    Attributes:
        latencies_s: camera stamp to trajectory sent, of every chunk that became motion and was
            heard, with its trajectory.
        parts: of these, of every chunk whose frame was heard, too.
        predictions_per_s: such chunks a second.
    """

    latencies_s: tuple[float, ...]
    parts: tuple[LatencyParts, ...]
    predictions_per_s: float

    def median_parts_ms(self) -> dict[str, float]:
        """Part -> its median, ms; empty where no chunk was heard itself."""
        names = [field.name for field in dataclasses.fields(LatencyParts)] if self.parts else []
        return {
            name: 1e3 * statistics.median(getattr(part, name) for part in self.parts)
            for name in names
        }


class LatencyClient(Node):
    """Listens to the scheduler, its chunks, its trajectories and the context.

    Attributes:
        session, frame_index: of the newest context frame.
        latencies_s, parts: as in `GraphLatency`, in order, since they were cleared.
        status: the newest.
    """

    def __init__(self, context: Context) -> None:
        super().__init__("latency_client", context=context)
        self.session = self.frame_index = -1
        self.latencies_s: list[float] = []
        self.parts: list[LatencyParts] = []
        self.status: LeapfrogStatus | None = None
        self._published_s: dict[int, float] = {}
        self._chunk: ActionChunk | None = None
        self._sent_s = float("-inf")
        # What became motion is known from the status, which comes last of the three.
        for name in LeapfrogSchedulerParameters().controllers:
            self._listen(JointTrajectory, f"{name}/joint_trajectory", self._on_trajectory, 10)
        self._listen(ActionChunk, "inverse_dynamics/chunk", self._on_chunk, 100)
        self._listen(LeapfrogStatus, "leapfrog_scheduler/status", self._on_status, 100)
        self._listen(ContextFrame, "camera_context/context", self._on_frame, 32)

    def _listen(
        self, kind: type[Any], topic: str, callback: Callable[..., None], depth: int
    ) -> None:
        self.create_subscription(kind, topic, callback, qos.reliable(depth))

    def _on_status(self, message: LeapfrogStatus) -> None:
        before, self.status = self.status, message
        if before is not None and message.predictions > before.predictions:
            self._measure(message)

    def _measure(self, status: LeapfrogStatus) -> None:
        chunk = self._chunk
        if chunk is None or chunk.chunk_id != status.chunk_id:
            return
        latency = self._sent_s - seconds_of(chunk.header.stamp)
        scheduler = latency - status.last_latency_s
        if scheduler < 0.0:
            # The trajectory that was heard is an earlier one.
            return
        self.latencies_s.append(latency)
        context = self._published_s.get(chunk.frame_index)
        if context is None:
            return
        known = context + chunk.prediction_latency_s + chunk.latency_s
        self.parts.append(
            LatencyParts(
                context=context,
                prediction=chunk.prediction_latency_s,
                inverse_dynamics=chunk.latency_s,
                scheduler=scheduler,
                messages=status.last_latency_s - known,
            )
        )

    def _on_trajectory(self, _: JointTrajectory, info: dict[str, int]) -> None:
        self._sent_s = info["source_timestamp"] * 1e-9

    def _on_chunk(self, message: ActionChunk) -> None:
        self._chunk = message

    def _on_frame(self, message: ContextFrame) -> None:
        if message.session != self.session:
            self._published_s.clear()
        self._published_s[message.frame_index] = message.latency_s
        self.session, self.frame_index = message.session, message.frame_index


def measure_graph_latency(
    load: GraphLoad, progress: Callable[[int], object] = lambda frames: None
) -> GraphLatency:
    """Start the cell and the nodes, fill the context, engage, watch, stop them all.

    Args:
        progress: called with the number of context frames so far, about `load.num_frames` at
            the end.

    Raises:
        UserError: a node died or does not answer, another graph runs in this ROS domain, or no
            chunk became motion.
    """
    with ros_context() as context:
        client = LatencyClient(context)
        with RunningGraph(context, _graph_options(load), [client]) as graph:
            _fill_context(load, client, graph, progress)
            graph.call(Trigger, "leapfrog_scheduler/engage", Trigger.Request())
            graph.wait(lambda: len(client.latencies_s) >= COLD_START, "the first chunks")
            return _watch(load, client, graph, progress)


def _fill_context(
    load: GraphLoad,
    client: LatencyClient,
    graph: RunningGraph,
    progress: Callable[[int], object],
) -> None:
    reset = graph.call(
        ResetCell, "cell/reset", ResetCell.Request(task=load.task, seed=0, split="test")
    )
    request = ClearContext.Request(instruction=reset.instruction)
    session = graph.call(ClearContext, "camera_context/clear_context", request).session

    def full() -> bool:
        if client.session != session:
            return False
        progress(client.frame_index + 1)
        return client.frame_index + 1 >= load.context_frames

    filling_s = load.context_frames * EMBEDDED_CELL.frame_period_s
    graph.wait(full, f"{load.context_frames} context frames", filling_s + PATIENCE_S)


def _watch(
    load: GraphLoad,
    client: LatencyClient,
    graph: RunningGraph,
    progress: Callable[[int], object],
) -> GraphLatency:
    client.latencies_s.clear()
    client.parts.clear()
    begun = time.monotonic()
    while (elapsed := time.monotonic() - begun) < load.seconds:
        graph.require_alive()
        progress(client.frame_index + 1)
        time.sleep(POLL_S)
    latencies, status = tuple(client.latencies_s), client.status
    if not latencies:
        reason = status.reason if status else "it says nothing"
        raise UserError(f"no chunk became motion in {elapsed:.0f} s; the scheduler: {reason}")
    return GraphLatency(
        latencies_s=latencies,
        parts=tuple(client.parts),
        predictions_per_s=len(latencies) / elapsed,
    )


def _graph_options(load: GraphLoad) -> GraphOptions:
    overrides: dict[str, dict[str, object]] = {
        "video_predictor": {
            "checkpoint": str(load.video),
            "context_frames": load.context_frames,
            "num_steps": load.num_steps or 0,
        },
        "inverse_dynamics": {"checkpoint": str(load.inverse_dynamics)},
        "leapfrog_scheduler": {"engage_on_activate": False},
        "cell": {"task": load.task},
    }
    return GraphOptions(config_path("cell"), overrides=overrides)

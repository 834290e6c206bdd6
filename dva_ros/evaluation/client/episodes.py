"""Episodes through the nodes, in real time: reset, clear, engage, watch, disengage."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.context import Context
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger
from tqdm import tqdm

from dva_msgs.msg import (
    ActionChunk,
    ContextFrame,
    ControllerState,
    LeapfrogStatus,
    PredictedClip,
    TaskStatus,
)
from dva_msgs.srv import ClearContext, ResetCell

from ...bringup.graph import GraphOptions, checkpoint_overrides, speed_overrides
from ...bringup.graph_client import POLL_S, RunningGraph, ros_context
from ...leapfrog.limits import JointLimits
from ...resources import config_path
from ...ros import qos
from ...ros.conversions import image_from_msg
from ...spec import EMBEDDED_CELL
from ..policy import require_cell
from ..report import EpisodeOutcome, EvaluationOptions, EvaluationReport
from .episode_record import EpisodeRecord

SPEC = EMBEDDED_CELL


class EvaluationClient(Node):
    """Listens to a running graph, for the record of an episode."""

    def __init__(self, context: Context, filmed: bool) -> None:
        super().__init__("evaluation_client", context=context)
        self.record: EpisodeRecord | None = None
        self.newest_frame: ContextFrame | None = None
        self.status: LeapfrogStatus | None = None
        every = qos.reliable(100)
        self._listen(LeapfrogStatus, "leapfrog_scheduler/status", self._on_status, every)
        self._listen(TaskStatus, "cell/task_status", self._on_task, every)
        self._listen(ActionChunk, "inverse_dynamics/chunk", self._on_chunk, every)
        self._listen(ContextFrame, "camera_context/context", self._on_frame, qos.FRAMES)
        controller = "joint_trajectory_controller/controller_state"
        self._listen(ControllerState, controller, self._on_command, every)
        if filmed:
            self._listen(PredictedClip, "video_predictor/clip", self._on_clip, every)
            for camera in SPEC.cameras:
                on_image = partial(self._on_image, camera.name)
                self._listen(Image, f"{camera.name}/image_raw", on_image, qos.SENSOR)

    def _listen(
        self, kind: type[Any], topic: str, callback: Callable[[Any], None], profile: Any
    ) -> None:
        self.create_subscription(kind, topic, callback, profile)

    def _on_status(self, message: LeapfrogStatus) -> None:
        self.status = message
        if self.record is not None:
            self.record.add_status(message)

    def _on_task(self, message: TaskStatus) -> None:
        if self.record is not None:
            self.record.add_task(message)

    def _on_chunk(self, message: ActionChunk) -> None:
        if self.record is not None:
            self.record.add_chunk(message)

    def _on_clip(self, message: PredictedClip) -> None:
        if self.record is not None and self.record.filmed:
            self.record.add_clip(message)

    def _on_frame(self, message: ContextFrame) -> None:
        self.newest_frame = message
        if self.record is not None and message.session == self.record.session:
            self.record.add_frame(message.frame_index, len(SPEC.cameras))

    def _on_command(self, message: ControllerState) -> None:
        if self.record is not None:
            self.record.add_command(message)

    def _on_image(self, camera: str, message: Image) -> None:
        if self.record is not None and self.record.filmed:
            self.record.add_image(camera, image_from_msg(message))


def run_ros_evaluation(options: EvaluationOptions) -> EvaluationReport:
    """Start the cell and the nodes, run every scene, stop them all.

    Ctrl-C ends early: the report then holds the episodes that were finished.

    Raises:
        UserError: the checkpoints are of another cell, a node died or does not answer (with its
            last lines), or another graph runs in this ROS domain.
    """
    require_cell(options.models, SPEC)
    begun = time.monotonic()
    outcomes: list[EpisodeOutcome] = []
    with ros_context() as context:
        client = EvaluationClient(context, options.video is not None)
        with RunningGraph(context, _graph_options(options), [client]) as graph:
            evaluation = _Evaluation(options, client, graph)
            try:
                for seed in tqdm(options.seeds, unit="episode", desc=options.task, disable=None):
                    outcomes.append(evaluation.episode(seed))
                    tqdm.write(
                        f"  seed {seed}: {outcomes[-1].outcome} after "
                        f"{outcomes[-1].duration_s:.1f} s"
                    )
            except KeyboardInterrupt:
                tqdm.write("interrupted: the figures are of the finished episodes")
    files = evaluation.write_film()
    return EvaluationReport(
        options, tuple(outcomes), "ros", time.monotonic() - begun, tuple(files)
    )


class _Evaluation:
    def __init__(
        self, options: EvaluationOptions, client: EvaluationClient, graph: RunningGraph
    ) -> None:
        self._options = options
        self._client = client
        self._graph = graph
        self._limits = JointLimits.load(config_path("joint_limits"), SPEC.joint_names)
        self._filmed: EpisodeRecord | None = None

    def episode(self, seed: int) -> EpisodeOutcome:
        """Reset, clear, engage, watch, disengage."""
        options, client, graph = self._options, self._client, self._graph
        reset = graph.call(
            ResetCell,
            "cell/reset",
            ResetCell.Request(task=options.task, seed=seed, split=options.split),
        )
        cleared = graph.call(
            ClearContext,
            "camera_context/clear_context",
            ClearContext.Request(instruction=reset.instruction),
        )
        filmed = options.video is not None and self._filmed is None
        record = EpisodeRecord(seed, cleared.session, self._limits, filmed)
        client.record = record
        graph.wait(lambda: self._seen(cleared.session), "a context frame of the new session")
        graph.call(Trigger, "leapfrog_scheduler/engage", Trigger.Request())
        while not self._ended(record):
            graph.require_alive()
            time.sleep(POLL_S)
        outcome = record.outcome()
        client.record = None
        graph.call(Trigger, "leapfrog_scheduler/disengage", Trigger.Request())
        graph.wait(
            lambda: (
                client.status is not None and client.status.mode == LeapfrogStatus.MODE_DISENGAGED
            ),
            "the robot to stop",
        )
        if filmed:
            self._filmed = record
        return outcome

    def write_film(self) -> list[Path]:
        """The first episode's film, where one was asked for."""
        if self._filmed is None or self._options.video is None:
            return []
        spec = SPEC.slowed(self._options.time_scaling)
        title = f"{self._options.task}, seed {self._filmed.seed}, through ROS 2 in real time"
        return list(self._filmed.write_film(self._options.video, spec, title))

    def _ended(self, record: EpisodeRecord) -> bool:
        task = record.task
        return task is not None and (task.success or task.elapsed_s >= self._options.max_seconds)

    def _seen(self, session: int) -> bool:
        frame = self._client.newest_frame
        return frame is not None and frame.session == session


def _graph_options(options: EvaluationOptions) -> GraphOptions:
    overrides = checkpoint_overrides(options.models)
    overrides["video_predictor"]["num_steps"] = options.num_steps or 0
    overrides["video_predictor"]["context_frames"] = options.context_frames or 0
    for name, values in speed_overrides(options.time_scaling).items():
        overrides.setdefault(name, {}).update(values)
    overrides["leapfrog_scheduler"]["engage_on_activate"] = False
    overrides["cell"] = {
        "task": options.task,
        "seed": options.seed,
        "split": options.split,
        "controller_state_period": 1,
    }
    return GraphOptions(config_path("cell"), overrides=overrides)

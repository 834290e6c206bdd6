"""What one episode through the nodes leaves behind: figures, and a film for later."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dva_msgs.msg import ActionChunk, ControllerState, LeapfrogStatus, PredictedClip, TaskStatus

from ...cell.timing import CONTROL_PERIOD_S
from ...leapfrog.limits import JointLimits
from ...ros.conversions import pixels, seconds_of
from ...spec import CellSpec
from ..metrics import CommandSteps, pooled_rms_jerk
from ..report import EpisodeOutcome
from ..video import EpisodeVideo

CLIPS_KEPT = 16


@dataclass(frozen=True)
class FilmFrame:
    """One picture of the film.

    Attributes:
        images: camera -> uint8 RGB.
        frame_index: n.
        caption: line of text.
        clip: the clip that became motion at this frame, or None.
    """

    images: dict[str, np.ndarray]
    frame_index: int
    caption: str
    clip: PredictedClip | None


@dataclass
class EpisodeRecord:
    """Collects the messages of one episode.

    Attributes:
        seed: of the scene.
        session: of the context; messages of another session do not count.
        limits: that steps are held against.
        filmed: keep pictures.
    """

    seed: int
    session: int
    limits: JointLimits
    filmed: bool
    status: LeapfrogStatus | None = None
    task: TaskStatus | None = None
    latencies_s: list[float] = field(default_factory=list)
    compute_s: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    film: list[FilmFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._steps = [CommandSteps(self.limits, CONTROL_PERIOD_S)]
        self._last_command_s: float | None = None
        self._clips: dict[int, PredictedClip] = {}
        self._clip_of_chunk: dict[int, int] = {}
        self._images: dict[str, np.ndarray] = {}
        self._executing: PredictedClip | None = None

    def add_status(self, message: LeapfrogStatus) -> None:
        """The scheduler's status: new chunks, refusals, idle time.

        Its counters are those of the episode before until it is engaged again.
        """
        engaged = message.mode != LeapfrogStatus.MODE_DISENGAGED
        if message.session != self.session or not engaged:
            return
        before = self.status
        self.status = message
        if message.predictions > (before.predictions if before else 0):
            self.latencies_s.append(message.last_latency_s)
            self._executing = self._clips.get(self._clip_of_chunk.get(message.chunk_id, -1))
        refused = message.refusals - (before.refusals if before else 0)
        if refused > 0:
            self.refusals[message.reason.split(":")[0]] += refused

    def add_task(self, message: TaskStatus) -> None:
        """The cell's judgement."""
        if message.seed == self.seed:
            self.task = message

    def add_chunk(self, message: ActionChunk) -> None:
        """What a prediction cost."""
        if message.session == self.session and not message.refusal:
            self.compute_s.append(message.prediction_latency_s + message.latency_s)
            self._clip_of_chunk[message.chunk_id] = message.clip_id

    def add_clip(self, message: PredictedClip) -> None:
        """A clip that may become motion."""
        if message.refusal:
            return
        self._clips[message.clip_id] = message
        while len(self._clips) > CLIPS_KEPT:
            del self._clips[next(iter(self._clips))]

    def add_command(self, message: ControllerState) -> None:
        """What the controller wrote; a gap in the messages is no step."""
        stamp = seconds_of(message.header.stamp)
        last, self._last_command_s = self._last_command_s, stamp
        if last is not None and abs(stamp - last - CONTROL_PERIOD_S) > 0.5 * CONTROL_PERIOD_S:
            self._steps.append(CommandSteps(self.limits, CONTROL_PERIOD_S))
        self._steps[-1].add(np.array(message.output.positions))

    def add_image(self, camera: str, image: np.ndarray) -> None:
        """The newest picture of a camera, for the film."""
        self._images[camera] = image

    def add_frame(self, frame_index: int, cameras: int) -> None:
        """A context frame: one picture of the film."""
        if not self.filmed or len(self._images) < cameras:
            return
        outcome = self.task.outcome if self.task else ""
        latency = 1e3 * self.latencies_s[-1] if self.latencies_s else 0.0
        caption = (
            f"frame {frame_index}   {self.task.instruction if self.task else ''}   "
            f"latency {latency:.0f} ms   {outcome}"
        )
        self.film.append(FilmFrame(dict(self._images), frame_index, caption, self._executing))
        self._executing = None

    def outcome(self, interrupted: str = "") -> EpisodeOutcome:
        """The figures; `interrupted` is the reason where the episode did not end by itself."""
        task, status = self.task, self.status
        success = bool(task and task.success)
        steps = self._steps
        return EpisodeOutcome(
            seed=self.seed,
            success=success,
            outcome=interrupted or ("success" if success else task.outcome if task else "no task"),
            duration_s=task.elapsed_s if task else 0.0,
            predictions=status.predictions if status else 0,
            latencies_s=tuple(self.latencies_s),
            compute_s=tuple(self.compute_s),
            idle_s=status.idle_s if status else 0.0,
            max_position_step_rad=max(s.position_step_rad for s in steps),
            max_velocity_step_rad_s=max(s.velocity_step_rad_s for s in steps),
            max_gripper_position_step_m=max(s.gripper_position_step_m for s in steps),
            max_gripper_velocity_step_m_s=max(s.gripper_velocity_step_m_s for s in steps),
            velocity_step_ratio=max(s.velocity_ratio for s in steps),
            refusals=dict(self.refusals),
            rms_jerk_rad_s3=pooled_rms_jerk(steps),
            moving_s=sum(s.moving_s for s in steps),
        )

    def write_film(self, path: Path, spec: CellSpec, title: str) -> tuple[Path, Path]:
        """Write the film and its contact sheet; gives their paths."""
        result = self.outcome()
        with EpisodeVideo(path, spec, title) as film:
            for picture in self.film:
                clip = picture.clip
                if clip is not None:
                    frames = pixels(clip.rgb, clip.num_frames, clip.height, clip.width)
                    film.imagined(frames, clip.frame_index, clip.committed_frames)
                film.frame(picture.images, picture.frame_index, picture.caption)
            film.finish(result.success, result.outcome)
        return film.path, film.sheet_path

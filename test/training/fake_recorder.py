"""Records small episodes at once; importable by name, so that spawned workers find it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dva_ros.data.episodes import Episode
from dva_ros.data.generation_plan import EpisodeJob
from dva_ros.spec import EMBEDDED_CELL

NUM_FRAMES = 6


def make_episode(job: EpisodeJob, num_frames: int = NUM_FRAMES, success: bool = True) -> Episode:
    """A disc of the seed's colour moves over a plain ground; joints follow sines."""
    rng = np.random.default_rng(job.seed)
    colour = rng.integers(60, 256, 3)
    times = np.arange(num_frames + 1) * EMBEDDED_CELL.frame_period_s
    commands = 0.3 * np.sin(times[:, None] + np.arange(EMBEDDED_CELL.num_joints) + job.seed)
    commands = commands.astype(np.float32)
    return Episode(
        images={
            "overhead": _moving_disc(96, 128, num_frames, colour),
            "front": _moving_disc(64, 128, num_frames, colour),
        },
        state=commands[:-1] - np.float32(0.01),
        action=np.concatenate([commands[1:-1], commands[-2:-1]]),
        clean=np.arange(num_frames) % 5 != 4,
        task=job.task,
        instruction=f"do {job.task}",
        seed=job.seed,
        success=success,
    )


def _moving_disc(height: int, width: int, count: int, colour: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    clips = np.full((count, height, width, 3), 90, dtype=np.uint8)
    for frame in range(count):
        inside = (rows - height // 2) ** 2 + (columns - 20 - 3 * frame) ** 2 < 144
        clips[frame][inside] = colour
    return clips


@dataclass
class FakeRecorder:
    """Records `make_episode`.

    Attributes:
        failing: scenes whose seed ends in this digit miss their task; -1 for none.
        journal: every recorded seed is appended to this file.
        raising: this seed raises.
        dying: at this seed the process dies.
        skipping: scenes whose seed ends in this digit give no episode; -1 for none.
    """

    failing: int = -1
    journal: Path | None = None
    raising: int = -1
    dying: int = -1
    skipping: int = -1

    def __call__(self) -> FakeRecorder:
        return self

    def record(self, job: EpisodeJob) -> Episode | None:
        if job.seed == self.raising:
            raise RuntimeError("the gripper melted")
        if job.seed == self.dying:
            os._exit(9)
        if self.journal is not None:
            with self.journal.open("a") as file:
                file.write(f"{job.task} {job.seed}\n")
        if job.seed % 10 == self.skipping:
            return None
        return make_episode(job, success=job.seed % 10 != self.failing)

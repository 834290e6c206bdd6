"""Records episodes that a policy begins and the expert ends, for `generation`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..cell.simulation import Cell
from ..cell.task import scene_rng
from ..cell.tasks import find_task
from ..data.cell_episodes import EpisodeRecorder, record_intervention
from ..data.episodes import Episode
from ..data.generation_plan import EpisodeJob
from ..leapfrog.limits import JointLimits
from ..resources import config_path
from .closed_loop import ClosedLoop, LoopSettings
from .policy import load_model_policy
from .schedulers.timing import timing_for


class InterventionRecorder:
    """One simulated cell and one policy that play job after job."""

    def __init__(self, models: Path, latency_s: float, between_s: tuple[float, float]) -> None:
        """Load the checkpoints `video` and `inverse_dynamics` in the folder `models`.

        They drive with a modelled latency of `latency_s`, for a time within `between_s`.
        """
        self._latency_s = latency_s
        self._between_s = between_s
        self._cell = Cell()
        self._loaded = load_model_policy(models, self._cell.spec)
        self._limits = JointLimits.load(config_path("joint_limits"), self._cell.spec.joint_names)

    def record(self, job: EpisodeJob) -> Episode | None:
        """Let the policy drive for a time drawn from the job's seed, then the expert.

        None where the policy fulfils the task first: nothing is left for the expert to show.
        """
        task, split = find_task(job.task), job.split
        rng = scene_rng(f"{task.name}/takeover", job.seed, split)
        period_s = self._cell.spec.frame_period_s
        frames = round(rng.uniform(*self._between_s) / period_s)
        settings = LoopSettings(
            latency_s=self._latency_s,
            max_seconds=frames * period_s,
            leapfrog=timing_for(self._loaded.leapfrog, self._latency_s),
        )
        loop = ClosedLoop(self._cell, self._loaded.policy, self._limits, settings)

        def drive(recorder: EpisodeRecorder) -> bool:
            watcher = _Recording(self._cell, recorder)
            return not loop.run(task, job.seed, split, watcher).success

        return record_intervention(self._cell, task, job.seed, split, drive)


class _Recording:
    """Shows the frames of a closed loop to an `EpisodeRecorder`."""

    def __init__(self, cell: Cell, recorder: EpisodeRecorder) -> None:
        self._cell, self._recorder = cell, recorder

    def imagined(self, clip: np.ndarray, frame_index: int, committed_frames: int) -> None:
        """Nothing is recorded of what was imagined."""

    def frame(self, images: Mapping[str, np.ndarray], frame_index: int, caption: str) -> None:
        """The next frame, moved by the policy."""
        self._recorder.frame(self._cell.command(), clean=False)

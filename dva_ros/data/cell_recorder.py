"""Records episodes in the simulated cell, for `generation`."""

from __future__ import annotations

from ..cell.simulation import Cell
from ..cell.tasks import find_task
from .cell_episodes import record_episode, record_random_motion
from .episodes import Episode
from .generation_plan import RANDOM_MOTION, EpisodeJob


class CellRecorder:
    """One simulated cell that plays job after job."""

    def __init__(self) -> None:
        self._cell = Cell()

    def record(self, job: EpisodeJob) -> Episode:
        """Let the expert, or random motion, move the robot; see `EpisodeJob`."""
        if job.task == RANDOM_MOTION:
            return record_random_motion(self._cell, job.seed, job.split)
        return record_episode(
            self._cell, find_task(job.task), job.seed, job.split, perturb=job.perturb
        )

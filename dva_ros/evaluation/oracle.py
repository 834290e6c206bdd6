"""An expert's recorded motion in place of the models: what the loop alone loses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..training.episodes import Episode
from .policy import Imagined


class OracleChunks:
    """Answers every request with the commands that an expert gave in the same scene.

    The recording is not adapted to what happens: success shows that the schedule, the splices
    and the controller reproduce motion well enough, failure at small latency that they do not.
    """

    def __init__(self, record: Callable[[int], Episode], horizon: int) -> None:
        """`record` gives the expert's episode in the scene of a seed; `horizon` is H."""
        self._record = record
        self._horizon = horizon
        self._commands = np.zeros((0, 0), np.float32)
        self._frame = -1

    def begin(self, seed: int, instruction: str) -> None:
        """Record the expert in this scene."""
        self._commands = self._record(seed).command()
        self._frame = -1

    def observe(self, mosaic: np.ndarray, state: np.ndarray) -> None:
        """Count the frame; what it shows is not looked at."""
        self._frame += 1

    def imagine(self, committed: np.ndarray) -> Imagined:
        """The recorded commands for the next H frames; after the recording's end, its last."""
        frames = self._frame + 1 + np.arange(self._horizon)
        return Imagined(self._commands[np.minimum(frames, len(self._commands) - 1)], None)

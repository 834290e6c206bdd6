"""What the closed loop needs of a scheduler; `leapfrog.scheduler.Leapfrog` fulfils it."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

import numpy as np

from ...leapfrog.messages import Chunk, Decision, Frame, Mode


class SchedulerState(Protocol):
    """The counters that a report is made of.

    Attributes:
        mode: for captions.
        predictions: chunks that became motion.
        consumed_ticks: targets that were past when their chunk arrived, but for committed ones.
        refusals: reason -> number of chunks that did not become motion.
    """

    @property
    def mode(self) -> Mode: ...

    @property
    def predictions(self) -> int: ...

    @property
    def consumed_ticks(self) -> int: ...

    @property
    def refusals(self) -> Counter[str]: ...

    def idle_s(self, now: float) -> float:
        """Time idle since the first chunk."""


class Scheduler(Protocol):
    """Decides when to ask for the future and what of the answer becomes motion.

    Times are seconds on the robot's clock; a `Decision` holds what is to be sent.
    """

    @property
    def state(self) -> SchedulerState: ...

    def engage(self, now: float, commanded: np.ndarray) -> Decision:
        """Begin, at rest at the commanded positions [J]."""

    def on_frame(self, frame: Frame, now: float) -> Decision:
        """A context frame has arrived: ask for the future after it where it is time to."""

    def on_joint_states(self, now: float, positions: np.ndarray) -> Decision:
        """Measured positions [J] have arrived."""

    def accept(self, chunk: Chunk, now: float) -> Decision:
        """A chunk has arrived."""

    def watch(self, now: float) -> Decision:
        """Called regularly."""

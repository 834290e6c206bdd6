"""What takes the episodes of a recording, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..context.frame import ContextFrame


@dataclass(frozen=True)
class EpisodeLabel:
    """What is known of an episode beside its frames; see `data.episodes.Episode`."""

    task: str
    instruction: str
    seed: int
    success: bool


class EpisodeSink(Protocol):
    """Takes episodes, one after the other."""

    def add(self, frame: ContextFrame, images: Mapping[str, np.ndarray]) -> None:
        """The next frame of the episode; the first one begins it."""

    def cut(self) -> None:
        """The next frame begins another part of the same episode."""

    def finish(self, actions: Sequence[np.ndarray], label: EpisodeLabel) -> None:
        """End the episode and keep it; each part's action is float32 [T, J], see `Episode`."""

    def abandon(self) -> None:
        """Forget the frames since the last `finish`."""

    def remove_last(self) -> None:
        """Remove the episode that was kept last, with all its parts."""

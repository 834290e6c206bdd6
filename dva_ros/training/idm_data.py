"""Training windows of the inverse dynamics model: real frames, a clip, state and targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.store import EpisodeStore
from ..errors import UserError
from ..inverse_dynamics.config import InverseDynamicsConfig
from ..inverse_dynamics.statistics import JointStatistics


@dataclass(frozen=True)
class Windows:
    """A batch of B windows.

    Attributes:
        frames: uint8 [B, k + H, mosaic_height, mosaic_width, 3]; real frames, then the clip.
        state: measured joint positions float32 [B, J] at frame n.
        command: commanded joint positions float32 [B, H, J] at n+1 .. n+H.
    """

    frames: np.ndarray
    state: np.ndarray
    command: np.ndarray

    @property
    def offset(self) -> np.ndarray:
        """Commands relative to the measured state: float32 [B, H, J]."""
        relative: np.ndarray = self.command - self.state[:, None]
        return relative


class WindowSource:
    """Every window of a store, of any motion.

    A window is named by its anchor, the global index of frame n. The first frame of an episode
    stands for the frames before it.

    Attributes:
        anchors: int64 [M], all that have a whole clip after them.
    """

    def __init__(self, store: EpisodeStore, config: InverseDynamicsConfig) -> None:
        self._store = store
        self._config = config
        first, anchors = [], []
        for start, length in zip(store.starts, store.lengths, strict=True):
            count = max(0, int(length) - config.horizon)
            anchors.append(np.arange(start, start + count))
            first.append(np.full(count, start))
        self.anchors = np.concatenate([np.zeros(0, np.int64), *anchors]).astype(np.int64)
        self._first = np.concatenate([np.zeros(0, np.int64), *first]).astype(np.int64)
        if not self.anchors.size:
            raise UserError(
                f"no episode of the data is longer than the horizon of {config.horizon} frames; "
                "generate longer episodes"
            )

    def statistics(self) -> JointStatistics:
        """Scales over all windows."""
        store, ahead = self._store, self.anchors[:, None] + self._ahead()
        offset = store.command[ahead] - store.state[self.anchors][:, None]
        return JointStatistics.measure(store.state[self.anchors], offset, store.spec)

    def gather(self, which: np.ndarray) -> Windows:
        """The windows at positions `which` (int [B]) of `anchors`."""
        anchor = self.anchors[which]
        back = np.arange(1 - self._config.num_real_frames, 1)
        real = np.maximum(anchor[:, None] + back, self._first[which][:, None])
        ahead = anchor[:, None] + self._ahead()
        store = self._store
        return Windows(
            frames=store.gather_frames(np.concatenate((real, ahead), axis=1)),
            state=store.state[anchor],
            command=store.command[ahead],
        )

    def spread(self, count: int) -> np.ndarray:
        """Positions of at most `count` windows, evenly spread over the store."""
        size = self.anchors.size
        return np.unique(np.linspace(0, size - 1, min(count, size)).astype(np.int64))

    def _ahead(self) -> np.ndarray:
        return np.arange(1, self._config.horizon + 1)

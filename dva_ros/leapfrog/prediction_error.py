"""How far the camera frames are from the predicted ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

_PATCH = 16
_WARM_UP = 20
_MEMORY = 300
_FLOOR = 1e-5
_LEAST_SPREAD = 0.2
_KEPT = 64


@dataclass
class PredictionErrorScore:
    """Compares the frames of the clip that is executing with the real ones.

    The error of a frame is the mean square of its worst patch of 16 x 16 pixels (so that a small
    thing in a large picture counts), on a logarithmic scale. The score says how many standard
    deviations it lies above what it was before: 0 is as usual, 5 and more is not. The running mean
    and deviation forget slowly, and unusual frames hardly change them.

    Attributes:
        score: of the newest frame that could be compared; 0 while there are too few to say.
        count: frames compared.
    """

    score: float = 0.0
    count: int = 0
    _mean: float = 0.0
    _variance: float = 0.0
    _session: int = 0
    _predicted: dict[int, np.ndarray] = field(default_factory=dict)

    def expect(self, session: int, frame_index: int, clip: np.ndarray, executed: range) -> None:
        """Take the predicted frames of a clip that is executed.

        Args:
            session: of the clip.
            frame_index: n.
            clip: uint8 [H, h, w, 3], frames n+1 .. n+H.
            executed: of these, the frames 1 .. H that execute.
        """
        if session != self._session:
            self._session, self._predicted = session, {}
        for ahead in executed:
            if ahead <= len(clip):
                self._predicted[frame_index + ahead] = clip[ahead - 1]
        for index in sorted(self._predicted)[:-_KEPT]:
            del self._predicted[index]

    def observed(self, session: int, frame_index: int, mosaic: np.ndarray) -> float | None:
        """A real frame, uint8 [h, w, 3]; the score, or None where it was not predicted."""
        clip_frame = self._predicted.pop(frame_index, None) if session == self._session else None
        if clip_frame is None or clip_frame.shape != mosaic.shape:
            return None
        value = math.log(worst_patch_error(clip_frame, mosaic) + _FLOOR)
        self.count += 1
        if self.count > _WARM_UP:
            spread = max(math.sqrt(self._variance), _LEAST_SPREAD)
            self.score = (value - self._mean) / spread
            value = min(value, self._mean + 3 * spread)
        rate = 1.0 / min(self.count, _MEMORY)
        difference = value - self._mean
        self._mean += rate * difference
        self._variance = (1 - rate) * (self._variance + rate * difference**2)
        return self.score if self.count > _WARM_UP else None


def worst_patch_error(predicted: np.ndarray, real: np.ndarray) -> float:
    """Greatest mean square difference of a patch, of pixels 0..1, from uint8 [h, w, 3]."""
    difference = (predicted.astype(np.float32) - real.astype(np.float32)) / 255.0
    square = (difference**2).mean(axis=-1)
    height, width = (size // _PATCH * _PATCH for size in square.shape)
    patches = square[:height, :width].reshape(height // _PATCH, _PATCH, width // _PATCH, _PATCH)
    return float(patches.mean(axis=(1, 3)).max())

"""Makes real clips look like predicted ones: blur that grows with time, noise, brightness."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..inverse_dynamics.config import InverseDynamicsConfig


@dataclass(frozen=True)
class Augmentation:
    """How strongly frames are disturbed; all are drawn once a window, from 0 to the value.

    Attributes:
        chance: share of windows whose clip is blurred and smeared; the others stay sharp.
        blur_pixels: standard deviation of the blur at the clip's last frame.
        smear: weight of the neighbouring frames, mixed in at the clip's last frame.
        noise: standard deviation of the noise of each value, 0..255.
        brightness: change of all values, 0..255, the same in all frames of a window.
        contrast: relative change of all values about their middle.
    """

    chance: float = 0.6
    blur_pixels: float = 1.2
    smear: float = 0.5
    noise: float = 4.0
    brightness: float = 10.0
    contrast: float = 0.06

    def apply(
        self,
        frames: np.ndarray,
        config: InverseDynamicsConfig,
        rng: np.random.Generator,
        predicted: np.ndarray,
    ) -> np.ndarray:
        """Disturbed copy of frames uint8 [B, k + H, mosaic_height, mosaic_width, 3].

        Args:
            frames: real frames, then the clip.
            config: horizon, number of real frames and cameras.
            rng: draws everything.
            predicted: bool [B]; where true the clip was imagined by the video model already and
                is neither blurred nor smeared.
        """
        out = np.empty_like(frames)
        for i, window in enumerate(frames):
            values = window.astype(np.float32)
            if rng.random() < self.chance and not predicted[i]:
                self._imagine(values[config.num_real_frames :], config, rng)
            gain = 1 + self.contrast * rng.uniform(-1, 1)
            values = (values - 127.5) * gain + (127.5 + self.brightness * rng.uniform(-1, 1))
            noise = self.noise * max(0.0, rng.uniform(-1, 1))  # none in half of the windows
            if noise:
                values += noise * rng.standard_normal(values.shape, dtype=np.float32)
            out[i] = np.clip(np.rint(values), 0, 255)
        return out

    def _imagine(
        self, clip: np.ndarray, config: InverseDynamicsConfig, rng: np.random.Generator
    ) -> None:
        """Smear and blur a clip float32 [H, ...] in place, the more the later the frame."""
        age = np.arange(1, len(clip) + 1, dtype=np.float32) / len(clip)
        smear = self.smear * rng.uniform() * age[:-1, None, None, None]
        earlier = np.concatenate((clip[:1], clip[:-2]))
        clip[:-1] = (1 - smear) * clip[:-1] + smear / 2 * (earlier + clip[1:])
        deviations = self.blur_pixels * rng.uniform() * age
        for frame, deviation in zip(clip, deviations, strict=True):
            if deviation < 0.2:
                continue
            top = 0
            for camera in config.spec.cameras:
                rows = frame[top : top + camera.height]
                rows[:] = cv2.GaussianBlur(rows, (5, 5), float(deviation))
                top += camera.height

"""One frame of the context: what the robot saw and measured at one grid time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ContextFrame:
    """All cameras and joints at grid time `stamp`.

    Attributes:
        session: changes whenever the context is cleared.
        index: n; the grid time is the session's origin + n * period.
        stamp: grid time in seconds on the robot's clock.
        mosaic: uint8 RGB [mosaic_height, mosaic_width, 3].
        position: float32 [joints], measured, rad (m for grippers).
        velocity: float32 [joints], measured, per second.
        camera_missing: per camera: this frame repeats an older image.
        camera_age_s: per camera: grid time minus the stamp of the image used.
        joints_missing: position and velocity repeat the last good ones.
        instruction: what the robot was told to do.
    """

    session: int
    index: int
    stamp: float
    mosaic: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    camera_missing: tuple[bool, ...]
    camera_age_s: tuple[float, ...]
    joints_missing: bool
    instruction: str

    @property
    def good(self) -> bool:
        """Whether every camera and the joints were really seen at this time."""
        return not self.joints_missing and not any(self.camera_missing)

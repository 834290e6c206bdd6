"""What a predictor is given, checked and brought into the model's terms, on the host."""

from __future__ import annotations

import numpy as np

from .config import VideoModelConfig
from .patches import patchify


class PredictorInput:
    """Checks of one model's frames, joints and commands; errors name what is wrong."""

    def __init__(self, config: VideoModelConfig) -> None:
        self._config = config
        self._mean = np.asarray(config.state_mean, dtype=np.float32)
        self._std = np.asarray(config.state_std, dtype=np.float32)

    def patches(self, mosaic: np.ndarray) -> np.ndarray:
        """uint8 RGB [mosaic_height, mosaic_width, 3] -> [patches, patch_dim]."""
        spec = self._config.spec
        shape = (spec.mosaic_height, spec.mosaic_width, 3)
        if mosaic.shape != shape or mosaic.dtype != np.uint8:
            raise ValueError(f"mosaic must be uint8 {shape}, got {mosaic.dtype} {mosaic.shape}")
        return patchify(mosaic, self._config.patch)

    def state(self, values: np.ndarray) -> np.ndarray:
        """Measured joints [J], rad and m -> normalised float32."""
        return self._normalised("state", values, (self._config.spec.num_joints,))

    def committed(self, values: np.ndarray) -> np.ndarray:
        """Commands being executed [d, J], 0 <= d <= max_committed -> normalised float32."""
        count, most = len(values), self._config.max_committed
        if count > most:
            raise ValueError(f"{count} committed frames, the model takes {most}")
        return self._normalised("committed", values, (count, self._config.spec.num_joints))

    def _normalised(self, name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        joints = np.asarray(values, dtype=np.float32)
        if joints.shape != shape:
            raise ValueError(f"{name} must have shape {shape}, got {joints.shape}")
        if not np.isfinite(joints).all():
            raise ValueError(f"{name} holds a value that is not finite")
        return ((joints - self._mean) / self._std).astype(np.float32)

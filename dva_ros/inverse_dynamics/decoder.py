"""A trained inverse dynamics model in use: pixels and state in, joint command targets out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..spec import CellSpec
from ..video.precision import fast_dtype
from .checkpoint import load_checkpoint
from .config import InverseDynamicsConfig
from .model import InverseDynamicsNet
from .statistics import JointStatistics


class InverseDynamics:
    """Decodes a clip of frames into the joint commands that make it happen.

    Attributes:
        config: sizes, cell and horizon.
        statistics: scales of states and offsets.
    """

    def __init__(
        self,
        config: InverseDynamicsConfig,
        statistics: JointStatistics,
        net: InverseDynamicsNet,
    ) -> None:
        self.config = config
        self.statistics = statistics
        self._net = net.eval().requires_grad_(False)

    @staticmethod
    def load(path: str | Path, *, threads: int | None = None) -> InverseDynamics:
        """Load a checkpoint folder.

        Args:
            path: folder with ``config.yaml`` and ``model.safetensors``.
            threads: CPU threads of torch in this process; None leaves them as they are.

        Raises:
            CheckpointError, ArchitectureError: the folder is not such a checkpoint.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        config, statistics, net = load_checkpoint(Path(path))
        net.low_precision = fast_dtype() is torch.bfloat16
        return InverseDynamics(config, statistics, net)

    def require_spec(self, spec: CellSpec) -> None:
        """Raise `SpecMismatchError` naming the first field in which the cell differs."""
        self.config.spec.require_equal(spec, "the inverse dynamics checkpoint", "the cell")

    def decode(self, real: np.ndarray, clip: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Joint command targets that lead through the clip.

        Args:
            real: uint8 RGB mosaics [k, mosaic_height, mosaic_width, 3] of frames n-k+1 .. n.
            clip: uint8 RGB mosaics [H, mosaic_height, mosaic_width, 3] of frames n+1 .. n+H.
            state: measured joint positions [J] at frame n, rad (m for grippers).

        Returns:
            float32 [H, J]: commands for n+1 .. n+H, rad (m for grippers).

        Raises:
            ValueError: a shape or dtype is wrong, or the state is not finite; names which.
        """
        frames = torch.from_numpy(
            np.concatenate(
                (
                    self._checked("real", real, self.config.num_real_frames),
                    self._checked("clip", clip, self.config.horizon),
                )
            )
        )
        measured = self._checked_state(state)
        statistics = self.statistics
        normalised = (measured - statistics.state_mean) / statistics.state_scale
        with torch.inference_mode():
            offset = self._net(frames[None], torch.from_numpy(normalised)[None])[0].numpy()
        targets: np.ndarray = measured + offset * statistics.offset_scale
        return targets

    def _checked(self, name: str, frames: np.ndarray, count: int) -> np.ndarray:
        spec = self.config.spec
        shape = (count, spec.mosaic_height, spec.mosaic_width, 3)
        if frames.dtype != np.uint8 or frames.shape != shape:
            raise ValueError(
                f"{name} must be uint8 {list(shape)}, got {frames.dtype} {list(frames.shape)}"
            )
        return frames

    def _checked_state(self, state: np.ndarray) -> np.ndarray:
        names = self.config.spec.joint_names
        values = np.asarray(state, dtype=np.float32)
        if values.shape != (len(names),):
            raise ValueError(f"state must be [{len(names)}], got {list(values.shape)}")
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise ValueError(f"state of joint {names[bad[0]]} is {values[bad[0]]}")
        return values

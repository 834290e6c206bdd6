"""Synthetic episodes: a square bounces over the mosaic, joint 0 and 1 follow its place."""

from __future__ import annotations

import numpy as np

from dva_ros.data.store import EpisodeStore
from dva_ros.spec import CameraSpec, CellSpec
from dva_ros.video.config import VideoModelConfig

SPEC = CellSpec(
    cameras=(CameraSpec("overhead", 32, 32), CameraSpec("front", 16, 32)),
    joint_names=("left_waist", "left_gripper", "right_waist"),
)
_SIDE = 8


def moving_squares(
    episodes: int = 12, length: int = 24, seed: int = 0, clean: np.ndarray | None = None
) -> EpisodeStore:
    """A red square goes right and down, a blue one left and up, as the instruction says."""
    rng = np.random.default_rng(seed)
    frames = np.full((episodes, length, 48, 32, 3), 60, dtype=np.uint8)
    state = np.zeros((episodes, length, 3), dtype=np.float32)
    instructions = []
    for episode in range(episodes):
        is_red = rng.random() < 0.5
        instructions.append("move the red square" if is_red else "move the blue square")
        place = rng.integers(0, (40, 24))
        step = np.array([2, 3]) if is_red else np.array([-2, -3])
        for n in range(length):
            row, column = (place + n * step) % (40, 24)
            colour = (220, 40, 40) if is_red else (40, 40, 220)
            frames[episode, n, row : row + _SIDE, column : column + _SIDE] = colour
            state[episode, n, :2] = row / 40, column / 24
    total = episodes * length
    return EpisodeStore.from_arrays(
        SPEC,
        frames.reshape(total, 48, 32, 3),
        state.reshape(total, 3),
        np.roll(state.reshape(total, 3), -1, axis=0),
        np.ones(total, dtype=bool) if clean is None else clean,
        [length] * episodes,
        instructions,
    )


def small_config(**changes: object) -> VideoModelConfig:
    values: dict[str, object] = {
        "spec": SPEC,
        "state_mean": (0.5, 0.5, 0.0),
        "state_std": (0.3, 0.3, 1.0),
        "patch_margin": 4,
        "stem_width": 8,
        "width": 64,
        "depth": 2,
        "heads": 2,
        "horizon": 4,
        "max_committed": 2,
        "typical_committed": 1,
        "context_frames": 8,
        "max_words": 6,
    }
    return VideoModelConfig(**{**values, **changes})  # type: ignore[arg-type]

"""A toy world in the shape of the cell: two dots that follow four joints."""

from __future__ import annotations

import numpy as np

from dva_ros.data.store import EpisodeStore
from dva_ros.inverse_dynamics.config import InverseDynamicsConfig
from dva_ros.spec import EMBEDDED_CELL

SMALL = InverseDynamicsConfig(
    channels=(8, 16, 16), map_channels=4, keypoints=8, width=32, depth=1, heads=2
)
SPEC = EMBEDDED_CELL
MOVING = (0, 1, 7, 8)
"""Columns of both waists and shoulders; the other joints rest at 0."""


def draw(joints: np.ndarray) -> np.ndarray:
    """Mosaics uint8 [T, 80, 64, 3] of joints [T, J]: a soft dot an arm, in both cameras."""
    rows, columns = np.mgrid[0 : SPEC.mosaic_height, 0 : SPEC.mosaic_width].astype(np.float32)
    image = np.full((len(joints), *rows.shape, 3), 40.0, dtype=np.float32)
    for arm, (waist, shoulder) in enumerate(((0, 1), (7, 8))):
        for top, height in ((0, 48), (48, 32)):
            x = 16 + 32 * arm + 12 * joints[:, waist, None, None]
            y = top + height / 2 + height / 4 * joints[:, shoulder, None, None]
            dot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
            dot *= (rows >= top) & (rows < top + height)
            image[..., arm] += 200 * dot
    return np.clip(image, 0, 255).astype(np.uint8)


def synthetic_store(episodes: int = 6, length: int = 30, seed: int = 0) -> EpisodeStore:
    """Smooth random motion; the measured state is the command of one frame before."""
    rng = np.random.default_rng(seed)
    commands, states = [], []
    for _ in range(episodes):
        time = np.arange(-1, length)[:, None] * 0.1
        rate, phase = rng.uniform(1, 4, size=(2, len(MOVING)))
        joints = np.zeros((length + 1, SPEC.num_joints), dtype=np.float32)
        joints[:, MOVING] = 0.9 * np.sin(rate * time + 2 * phase)
        commands.append(joints[1:])
        states.append(joints[:-1])
    state = np.concatenate(states)
    return EpisodeStore.from_arrays(
        SPEC,
        draw(state),
        state,
        np.concatenate(commands),
        np.ones(len(state), dtype=bool),
        [length] * episodes,
        ["move the dots"] * episodes,
    )

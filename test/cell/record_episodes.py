"""Records what `test_recorded_episodes.py` compares with: python test/cell/record_episodes.py

Recorded once with the code from before tasks became folders. Record anew only where a change of
scenes, pictures or experts is wanted: datasets and checkpoints belong to what is recorded.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

RECORDED = Path(__file__).with_name("recorded_episodes.npz")
TASKS = ("pick_place", "lift")
SPLITS = ("train", "validation", "test")


def record() -> dict[str, np.ndarray]:
    """Scenes and pictures of three seeds, and one disturbed episode, of each task and split."""
    from dva_ros.cell.simulation import Cell
    from dva_ros.cell.tasks import find_task
    from dva_ros.data.cell_episodes import record_episode

    cell, found = Cell(), {}
    for name in TASKS:
        for split in SPLITS:
            for seed in (0, 1, 7):
                key = f"{name}/{split}/{seed}"
                found[f"{key}/instruction"] = np.array(cell.reset(find_task(name), seed, split))
                scene = cell.scene
                found[f"{key}/object"] = np.array([*scene.position, scene.yaw])
                found[f"{key}/home"] = np.stack([scene.home[side] for side in ("left", "right")])
                for camera in cell.native_size:
                    found[f"{key}/{camera}"] = cell.render(camera).copy()
            episode = record_episode(cell, find_task(name), 3, split, perturb=True)
            key = f"{name}/{split}/episode"
            found[f"{key}/state"], found[f"{key}/action"] = episode.state, episode.action
            found[f"{key}/clean"] = episode.clean
            for camera, images in episode.images.items():
                found[f"{key}/{camera}"] = images[-1]
                found[f"{key}/{camera}_sum"] = images.astype(np.int64).sum((1, 2))
    return found


def digest(recorded: dict[str, np.ndarray]) -> str:
    """sha256 of everything."""
    total = hashlib.sha256()
    for key in sorted(recorded):
        total.update(key.encode())
        total.update(recorded[key].tobytes())
    return total.hexdigest()


if __name__ == "__main__":
    everything = record()
    np.savez_compressed(RECORDED, **everything)
    print(RECORDED, digest(everything))

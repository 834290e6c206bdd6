"""Accuracy of a trained inverse dynamics model on real and on imagined clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..cell.simulation import Cell
from ..cell.task import Split
from ..cell.tasks import find_task
from ..context.mosaic import compose_mosaic
from ..data.cell_episodes import record_episode, record_random_motion
from ..data.episodes import Episode
from ..data.generation_plan import RANDOM_MOTION
from ..data.progress import progress_bar
from ..data.store import EpisodeStore
from ..inverse_dynamics.decoder import InverseDynamics
from ..spec import CellSpec
from .end_effector import EndEffectors
from .idm_accuracy import IdmAccuracy
from .idm_data import Windows, WindowSource
from .predicted_clips import ClipPredictor, imagine


def record_scenes(tasks: Sequence[str], seeds: Iterable[int], split: Split) -> EpisodeStore:
    """New episodes in memory: the expert at each task, or random motion, for each seed."""
    cell = Cell()
    episodes = []
    jobs = [(task, seed) for task in tasks for seed in seeds]
    for task, seed in progress_bar(jobs, desc="recording scenes", unit="scene"):
        if task == RANDOM_MOTION:
            episodes.append(record_random_motion(cell, seed, split))
        else:
            episodes.append(record_episode(cell, find_task(task), seed, split, perturb=True))
    return store_of(episodes, cell.spec)


def store_of(episodes: Sequence[Episode], spec: CellSpec) -> EpisodeStore:
    """Episodes at the model's resolution, in memory."""
    frames = [
        compose_mosaic({name: images[n] for name, images in episode.images.items()}, spec)
        for episode in episodes
        for n in range(len(episode.state))
    ]
    return EpisodeStore.from_arrays(
        spec,
        np.stack(frames),
        np.concatenate([episode.state for episode in episodes]),
        np.concatenate([episode.command() for episode in episodes]),
        np.concatenate([episode.clean for episode in episodes]),
        [len(episode.state) for episode in episodes],
        [episode.instruction for episode in episodes],
        [episode.task for episode in episodes],
        [episode.success for episode in episodes],
    )


def real_accuracy(
    model: InverseDynamics, store: EpisodeStore, count: int, effectors: EndEffectors | None
) -> IdmAccuracy:
    """Over at most `count` windows, evenly spread."""
    source = WindowSource(store, model.config)
    parts = [source.gather(np.array([which])) for which in source.spread(count)]
    return _accuracy(model, progress_bar(parts, desc="real clips", unit="clip"), effectors)


def imagined_accuracy(
    model: InverseDynamics,
    predictor: ClipPredictor,
    store: EpisodeStore,
    count: int,
    committed: int,
    seed: int,
    effectors: EndEffectors | None,
) -> IdmAccuracy:
    """Over at most `count` clips imagined after real frames, `committed` of them executing.

    The error counts what the video imagined otherwise than it happened, too.
    """
    source = WindowSource(store, model.config)
    k = model.config.num_real_frames
    rng = np.random.default_rng(seed)
    clips = imagine(predictor, store, model.config.horizon, (committed, committed), rng)
    parts = []
    with progress_bar(total=count, desc="imagined clips", unit="clip") as bar:
        for anchor, clip in clips:
            windows = source.gather(np.searchsorted(source.anchors, [anchor]))
            windows.frames[0, k:] = clip
            parts.append(windows)
            bar.update()
            if len(parts) == count:
                break
    if not parts:
        raise ValueError("no clip could be imagined: the episodes are of no task or too short")
    return _accuracy(model, parts, effectors)


def _accuracy(
    model: InverseDynamics, parts: Iterable[Windows], effectors: EndEffectors | None
) -> IdmAccuracy:
    k = model.config.num_real_frames
    commands, truths, states = [], [], []
    for windows in parts:
        frames, state = windows.frames[0], windows.state[0]
        commands.append(model.decode(frames[:k], frames[k:], state))
        truths.append(windows.command[0])
        states.append(state)
    return IdmAccuracy.measure(
        np.stack(commands), np.stack(truths), np.stack(states), model.config.spec, effectors
    )

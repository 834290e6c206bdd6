"""Decodes a dataset once into memory-mapped arrays at the model's resolution."""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from ..context.mosaic import CameraImageError, compose_mosaic
from ..errors import UserError
from ..spec import CellSpec
from .episodes import Episode
from .lerobot_reader import DamagedEpisode, EpisodeEntry, LeRobotDataset
from .progress import progress_bar

VERSION = 1
"""Raise when the cached arrays change their meaning."""

CACHE_FOLDER = ".cache"
EPISODES_FILE = "episodes.json"
ARRAYS_DEPEND_ON = ("cameras", "joint_names", "frame_period_s")
ARRAYS = ("frames", "state", "command", "clean")

_log = logging.getLogger(__name__)


def open_cache(root: Path, spec: CellSpec, cache_dir: Path | None, workers: int) -> Path:
    """Folder with the decoded arrays of the dataset at `root`; decodes where it is missing.

    The folder holds `frames.npy` uint8 [N, H, W, 3], `state.npy` and `command.npy` float32
    [N, J], `clean.npy` bool [N] and `episodes.json`, and appears whole or not at all. Damaged
    episodes are named in a warning; their rows are zero and no episode points to them.

    Raises:
        UserError: no dataset that fits `spec`, no episode of it can be used, or no space.
    """
    folder = (cache_dir or root / CACHE_FOLDER) / dataset_key(root, spec)
    if not (folder / EPISODES_FILE).is_file():
        _build(LeRobotDataset(root, spec), folder, workers)
    for message in json.loads((folder / EPISODES_FILE).read_text())["damaged"]:
        _log.warning("%s: left out %s", root, message)
    return folder


def dataset_key(root: Path, spec: CellSpec) -> str:
    """Changes with the dataset's content and with what of the spec the arrays depend on."""
    digest = hashlib.sha256()
    values = {name: spec.to_dict()[name] for name in ARRAYS_DEPEND_ON}
    digest.update(json.dumps([VERSION, values], sort_keys=True).encode())
    for path in sorted((root / "meta").rglob("*")):
        if path.suffix in (".json", ".parquet"):
            digest.update(path.read_bytes())
    for folder in ("data", "videos"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                status = path.stat()
                digest.update(f"{path.relative_to(root)} {status.st_size}".encode())
    return digest.hexdigest()[:16]


def _build(dataset: LeRobotDataset, folder: Path, workers: int) -> None:
    temporary = folder.with_name(f"tmp-{folder.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        _require_space(dataset, temporary)
        _allocate(dataset, temporary)
        damaged = _decode_all(dataset, temporary, workers)
        _write_episodes(dataset, damaged, temporary / EPISODES_FILE)
        os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _require_space(dataset: LeRobotDataset, folder: Path) -> None:
    spec = dataset.spec
    needed = dataset.num_frames * (
        spec.mosaic_height * spec.mosaic_width * 3 + 8 * spec.num_joints + 1
    )
    free = shutil.disk_usage(folder).free
    if free < needed * 1.05:
        raise UserError(
            f"decoding {dataset.root} needs {needed / 1e9:.1f} GB in {folder.parent}, "
            f"{free / 1e9:.1f} GB are free"
        )


def _shapes(dataset: LeRobotDataset) -> dict[str, tuple[tuple[int, ...], Any]]:
    spec, count = dataset.spec, dataset.num_frames
    return {
        "frames": ((count, spec.mosaic_height, spec.mosaic_width, 3), np.uint8),
        "state": ((count, spec.num_joints), np.float32),
        "command": ((count, spec.num_joints), np.float32),
        "clean": ((count,), np.bool_),
    }


def _allocate(dataset: LeRobotDataset, folder: Path) -> None:
    for name, (shape, dtype) in _shapes(dataset).items():
        np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", shape=shape, dtype=dtype)


def _decode_all(dataset: LeRobotDataset, folder: Path, workers: int) -> dict[int, str]:
    """Decode group by group; returns damaged episodes -> message."""
    damaged: dict[int, str] = {}
    start = 0
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(workers, mp_context=context) as pool,
        progress_bar(
            total=dataset.num_frames, unit="frame", desc=f"decoding {dataset.root.name}"
        ) as bar,
    ):
        futures = {}
        for group in dataset.groups():
            future = pool.submit(_decode_group, dataset.root, dataset.spec, group, start, folder)
            futures[future] = sum(entry.length for entry in group)
            start += futures[future]
        for future in as_completed(futures):
            damaged.update(future.result())
            bar.update(futures[future])
    return damaged


def _decode_group(
    root: Path, spec: CellSpec, group: list[EpisodeEntry], start: int, folder: Path
) -> dict[int, str]:
    """Decode episodes into the rows from `start` on."""
    dataset = LeRobotDataset(root, spec)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in ARRAYS}
    damaged: dict[int, str] = {}
    for entry, episode in zip(group, dataset.read(group), strict=True):
        rows = slice(start, start + entry.length)
        start += entry.length
        if isinstance(episode, DamagedEpisode):
            damaged[entry.index] = str(episode)
            continue
        try:
            arrays["frames"][rows] = mosaics(episode, spec)
        except CameraImageError as error:
            damaged[entry.index] = str(DamagedEpisode(entry, str(error)))
            continue
        arrays["state"][rows] = episode.state
        arrays["command"][rows] = episode.command()
        arrays["clean"][rows] = episode.clean
    return damaged


def mosaics(episode: Episode, spec: CellSpec) -> np.ndarray:
    """Tiled observations of all frames, uint8 [T, H, W, 3]."""
    return np.stack(
        [
            compose_mosaic({name: clip[frame] for name, clip in episode.images.items()}, spec)
            for frame in range(episode.num_frames)
        ]
    )


def _write_episodes(dataset: LeRobotDataset, damaged: dict[int, str], path: Path) -> None:
    rows, start = [], 0
    for entry in dataset.entries:
        if entry.index not in damaged:
            rows.append(
                {
                    "start": start,
                    "length": entry.length,
                    "instruction": entry.instruction,
                    "task": entry.task,
                    "success": entry.success,
                    "seed": entry.seed,
                }
            )
        start += entry.length
    if not rows:
        first = next(iter(damaged.values()))
        raise UserError(f"no episode of {dataset.root} can be used; the first: {first}")
    path.write_text(json.dumps({"episodes": rows, "damaged": list(damaged.values())}))

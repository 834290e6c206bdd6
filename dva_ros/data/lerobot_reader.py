"""Reads LeRobot datasets (format v3.0) episode by episode; damaged parts are named, not fatal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import UserError
from ..spec import CellSpec
from . import lerobot_format as fmt
from .episodes import Episode, EpisodeError
from .video_file import decode_spans


class DatasetError(UserError):
    """The folder is no dataset that can be used; the message says what is missing."""


@dataclass(frozen=True)
class EpisodeEntry:
    """One row of the dataset's list of episodes.

    Attributes:
        index: number of the episode in the dataset.
        length: frames.
        instruction, task, split, seed, success: see `Episode`; datasets made elsewhere have
            only instructions: their task is the instruction, and they count as successes.
        data_path: table of frames that holds it.
        videos: camera -> (video file, time of the first frame in it, s).
    """

    index: int
    length: int
    instruction: str
    task: str
    split: str
    seed: int
    success: bool
    data_path: Path
    videos: dict[str, tuple[Path, float]]


@dataclass(frozen=True)
class DamagedEpisode:
    """An episode that cannot be used, and why."""

    entry: EpisodeEntry
    reason: str

    def __str__(self) -> str:
        return f"episode {self.entry.index} (seed {self.entry.seed}): {self.reason}"


class LeRobotDataset:
    """A dataset folder, opened.

    Attributes:
        root: the folder.
        spec: cameras, joints and period that are asked of it.
        entries: its episodes in order.
    """

    def __init__(self, root: Path, spec: CellSpec) -> None:
        """Open the dataset and compare it with `spec`.

        Raises:
            DatasetError: no dataset there, another version of the format, or it lacks a
                camera, has other joints or another frame rate.
        """
        self.root = root
        self.spec = spec
        info = read_info(root)
        require_fit(info, spec, root)
        self.entries = _read_entries(root, info, spec)

    @property
    def num_frames(self) -> int:
        """Frames of all episodes."""
        return sum(entry.length for entry in self.entries)

    def groups(self) -> list[list[EpisodeEntry]]:
        """Neighbouring episodes that share their files; one is decoded in one pass."""

        def files(entry: EpisodeEntry) -> tuple[Path, ...]:
            return (entry.data_path, *(path for path, _ in entry.videos.values()))

        return [list(group) for _, group in groupby(self.entries, key=files)]

    def read(self, entries: Iterable[EpisodeEntry]) -> Iterator[Episode | DamagedEpisode]:
        """Read episodes, each decoded or with the reason why it cannot be used.

        Give the episodes of one group together: their files are then read once.
        """

        for _, group in groupby(entries, key=lambda entry: entry.data_path):
            yield from self._read_group(list(group))

    def _read_group(self, entries: Sequence[EpisodeEntry]) -> Iterator[Episode | DamagedEpisode]:
        path = entries[0].data_path
        try:
            table = pq.read_table(self.root / path)
        except (OSError, pa.ArrowException) as error:
            for entry in entries:
                yield DamagedEpisode(entry, f"{path} cannot be read: {error}")
            return
        images = {camera.name: self._decode(entries, camera.name) for camera in self.spec.cameras}
        for place, entry in enumerate(entries):
            pictures = {name: clips[place] for name, clips in images.items()}
            try:
                yield _episode(entry, table, pictures, self.spec)
            except EpisodeError as error:
                yield DamagedEpisode(entry, str(error))

    def _decode(self, entries: Sequence[EpisodeEntry], camera: str) -> list[np.ndarray | str]:
        """Pictures of each episode, or the reason why there are none."""
        results: list[np.ndarray | str] = []
        for path, group in groupby(entries, key=lambda entry: entry.videos[camera][0]):
            members = list(group)
            rate = fmt.frame_rate(self.spec)
            spans = [(round(entry.videos[camera][1] * rate), entry.length) for entry in members]
            try:
                clips = decode_spans(self.root / path, spans, rate)
            except (OSError, av.FFmpegError) as error:
                results += [f"{path} cannot be decoded: {error}"] * len(members)
                continue
            results += [
                f"{path} has missing or damaged frames" if clip is None else clip for clip in clips
            ]
        return results


def _episode(
    entry: EpisodeEntry, table: pa.Table, images: dict[str, np.ndarray | str], spec: CellSpec
) -> Episode:
    pictures = {}
    for camera, clip in images.items():
        if isinstance(clip, str):
            raise EpisodeError(clip)
        pictures[camera] = clip
    rows = table.filter(pa.compute.equal(table["episode_index"], entry.index))
    if len(rows) != entry.length:
        raise EpisodeError(f"{entry.data_path} holds {len(rows)} of its {entry.length} frames")
    clean = rows[fmt.CLEAN].to_numpy() if fmt.CLEAN in rows.column_names else None
    episode = Episode(
        images=pictures,
        state=matrix(rows[fmt.STATE]),
        action=matrix(rows[fmt.ACTION]),
        clean=np.ones(entry.length, dtype=bool) if clean is None else clean,
        task=entry.task,
        instruction=entry.instruction,
        seed=entry.seed,
        success=entry.success,
    )
    episode.validate(spec)
    return episode


def matrix(column: pa.ChunkedArray) -> np.ndarray:
    """float32 [T, D] of a column of T lists of D numbers."""
    values = column.combine_chunks()
    return values.flatten().to_numpy().astype(np.float32).reshape(len(values), -1)


def read_info(root: Path) -> dict[str, Any]:
    """The dataset's `info.json`.

    Raises:
        DatasetError: no dataset there, or another version of the format.
    """
    path = root / fmt.INFO_PATH
    if not path.is_file():
        raise DatasetError(
            f"{root} is no LeRobot dataset: {fmt.INFO_PATH} is missing; "
            "make one with `python -m dva_ros generate`"
        )
    try:
        info = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path} is damaged: {error}; run `generate` again") from error
    if info.get("codebase_version") != fmt.CODEBASE_VERSION:
        raise DatasetError(
            f"{root} has format {info.get('codebase_version')}, {fmt.CODEBASE_VERSION} is read"
        )
    return info


def require_fit(info: dict[str, Any], spec: CellSpec, root: Path) -> None:
    """Raise `DatasetError` naming what of `spec` a dataset has otherwise."""
    if info["fps"] != fmt.frame_rate(spec):
        raise DatasetError(f"{root} has {info['fps']} frames/s, {fmt.frame_rate(spec)} are asked")
    for feature in (fmt.STATE, fmt.ACTION):
        names = info["features"].get(feature, {}).get("names")
        if names != list(spec.joint_names):
            raise DatasetError(
                f"joint_names differ: {feature} of {root} has {names}, "
                f"{list(spec.joint_names)} are asked"
            )
    for camera in spec.cameras:
        if fmt.video_key(camera.name) not in info["features"]:
            raise DatasetError(f"{root} has no video of camera '{camera.name}'")


def episode_rows(root: Path) -> Iterator[dict[str, Any]]:
    """The rows of the list of episodes (format v3.0), without their statistics.

    Raises:
        OSError, pyarrow.ArrowException: a file of the list cannot be read.
    """
    for path in sorted((root / "meta" / "episodes").glob("*/*.parquet")):
        file = pq.ParquetFile(path)
        names = [name for name in file.schema_arrow.names if not name.startswith("stats/")]
        yield from file.read(columns=names).to_pylist()


def row_files(
    row: dict[str, Any], info: dict[str, Any], keys: Mapping[str, str]
) -> tuple[Path, dict[str, tuple[Path, float]]]:
    """The files of an episode.

    Args:
        row: of the list of episodes.
        info: the dataset's `info.json`.
        keys: camera -> its feature in the dataset.

    Returns:
        The table of frames; camera -> (video, time of the first frame in it, s).
    """

    def path(template: str, prefix: str, **values: str) -> Path:
        place = {part: row[f"{prefix}/{part}"] for part in ("chunk_index", "file_index")}
        return Path(info[template].format(**values, **place))

    videos = {
        camera: (
            path("video_path", f"videos/{key}", video_key=key),
            row[f"videos/{key}/from_timestamp"],
        )
        for camera, key in keys.items()
    }
    return path("data_path", "data"), videos


def _read_entries(root: Path, info: dict[str, Any], spec: CellSpec) -> list[EpisodeEntry]:
    try:
        rows = list(episode_rows(root))
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(
            f"the list of episodes of {root} cannot be read: {error}; run `generate` again"
        ) from error
    if not rows:
        raise DatasetError(f"{root} lists no episodes")
    keys = {camera.name: fmt.video_key(camera.name) for camera in spec.cameras}
    entries = (episode_entry(row, *row_files(row, info, keys)) for row in rows)
    return [replace(entry, task=entry.task or entry.instruction) for entry in entries]


def episode_entry(
    row: dict[str, Any], data_path: Path, videos: dict[str, tuple[Path, float]]
) -> EpisodeEntry:
    """A row of the list of episodes; `task` is empty where the row has none."""
    return EpisodeEntry(
        index=int(row["episode_index"]),
        length=int(row["length"]),
        instruction=row["tasks"][0] if len(row["tasks"]) else "",
        task=row.get("task_name", ""),
        split=row.get("split", "train"),
        seed=int(row.get("seed", -1)),
        success=bool(row.get("success", True)),
        data_path=data_path,
        videos=videos,
    )

"""A shard: some episodes as one table, one list of episodes and one video a camera.

Shards are made in parallel, each in a temporary folder that is renamed when it is whole. They
are the parts of which `lerobot_writer.assemble` makes a dataset.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..spec import CellSpec
from . import lerobot_format as fmt
from .episodes import Episode
from .statistics import FeatureStatistics, image_statistics, vector_statistics
from .video_file import encode_video

FRAMES_FILE = "frames.parquet"
EPISODES_FILE = "episodes.parquet"
SUMMARY_FILE = "shard.json"


@dataclass(frozen=True)
class ShardSummary:
    """What a finished shard holds.

    Attributes:
        number: place of the shard in the dataset; also the number of its files.
        recorded: episodes recorded.
        succeeded: of them, those that fulfilled their task.
        kept: episodes in the shard's files.
        frames: frames in the shard's files.
        image_sizes: camera -> (height, width); empty where nothing was kept.
    """

    number: int
    recorded: int
    succeeded: int
    kept: int
    frames: int
    image_sizes: dict[str, tuple[int, int]]


def shard_folder(parent: Path, number: int) -> Path:
    """Folder of a finished shard."""
    return parent / f"shard-{number:05d}"


def video_file(folder: Path, camera: str) -> Path:
    """A camera's video in a shard's folder."""
    return folder / f"{camera}.mp4"


def write_shard(
    parent: Path,
    number: int,
    episodes: Sequence[Episode],
    recorded: int,
    succeeded: int,
    split: str,
    spec: CellSpec,
) -> ShardSummary:
    """Write `episodes` so that the shard appears whole or not at all.

    Args:
        parent: folder of the shards.
        number: place of the shard.
        episodes: those to keep, in order.
        recorded: how many were recorded, kept or not.
        succeeded: how many of those fulfilled their task.
        split: name of the split, noted with each episode.
        spec: joints, cameras and period.

    Raises:
        EpisodeError: an episode does not fit the spec.
        OSError: the disk is full or cannot be written; the unfinished part is removed.
    """
    for episode in episodes:
        episode.validate(spec)
    temporary = begin_shard(parent, number)
    try:
        sizes: dict[str, tuple[int, int]] = {}
        if episodes:
            statistics = [
                {name: image_statistics(clip) for name, clip in episode.images.items()}
                for episode in episodes
            ]
            write_tables(temporary, episodes, statistics, split, spec)
            for camera in spec.cameras:
                clips = [episode.images[camera.name] for episode in episodes]
                encode_video(video_file(temporary, camera.name), clips, fmt.frame_rate(spec))
                sizes[camera.name] = (clips[0].shape[1], clips[0].shape[2])
        summary = ShardSummary(
            number=number,
            recorded=recorded,
            succeeded=succeeded,
            kept=len(episodes),
            frames=sum(episode.num_frames for episode in episodes),
            image_sizes=sizes,
        )
        finish_shard(temporary, parent, summary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return summary


def begin_shard(parent: Path, number: int) -> Path:
    """A new folder for the parts of a shard, not seen by `read_summaries`."""
    temporary = parent / f"tmp-{number:05d}-{os.getpid()}"
    temporary.mkdir(parents=True)
    return temporary


def write_tables(
    folder: Path,
    episodes: Sequence[Episode],
    statistics: Sequence[Mapping[str, FeatureStatistics]],
    split: str,
    spec: CellSpec,
) -> None:
    """Write all of a shard but its videos; the episodes' pictures are not looked at.

    Args:
        folder: from `begin_shard`.
        episodes: at least one.
        statistics: of each episode's pictures, by camera.
        split: name of the split.
        spec: joints, cameras and period.
    """
    pq.write_table(_frames_table(episodes, spec), folder / FRAMES_FILE)
    table = _episodes_table(episodes, statistics, split, spec)
    pq.write_table(table, folder / EPISODES_FILE)


def finish_shard(temporary: Path, parent: Path, summary: ShardSummary) -> None:
    """Make a shard whose files are all written appear under its name."""
    (temporary / SUMMARY_FILE).write_text(json.dumps(summary.__dict__))
    for file in temporary.iterdir():
        _flush_to_disk(file)
    os.replace(temporary, shard_folder(parent, summary.number))


def read_summaries(parent: Path) -> dict[int, ShardSummary]:
    """Summaries of all finished shards under `parent`, by number."""
    summaries = {}
    for path in sorted(parent.glob(f"shard-*/{SUMMARY_FILE}")):
        values = json.loads(path.read_text())
        sizes = {camera: (size[0], size[1]) for camera, size in values["image_sizes"].items()}
        summary = ShardSummary(**{**values, "image_sizes": sizes})
        summaries[summary.number] = summary
    return summaries


def _frames_table(episodes: Sequence[Episode], spec: CellSpec) -> pa.Table:
    """Columns of the frames; `episode_index` counts within the shard."""
    lengths = [episode.num_frames for episode in episodes]
    frame_index = np.concatenate([np.arange(length) for length in lengths])
    last = np.concatenate([np.arange(length) == length - 1 for length in lengths])
    success = np.repeat([episode.success for episode in episodes], lengths)
    return pa.table(
        {
            fmt.STATE: _vectors(np.concatenate([e.state for e in episodes])),
            fmt.ACTION: _vectors(np.concatenate([e.action for e in episodes])),
            fmt.CLEAN: np.concatenate([e.clean for e in episodes]),
            fmt.DONE: last,
            fmt.SUCCESS: last & success,
            "timestamp": (frame_index * spec.frame_period_s).astype(np.float32),
            "frame_index": frame_index.astype(np.int64),
            "episode_index": np.repeat(np.arange(len(episodes), dtype=np.int64), lengths),
        }
    )


def _vectors(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def _episodes_table(
    episodes: Sequence[Episode],
    image_statistics: Sequence[Mapping[str, FeatureStatistics]],
    split: str,
    spec: CellSpec,
) -> pa.Table:
    """One row an episode: what LeRobot asks for, our extras, and statistics."""
    rows: list[dict[str, Any]] = []
    first = 0
    for number, episode in enumerate(episodes):
        row: dict[str, Any] = {
            "episode_index": number,
            "tasks": [episode.instruction],
            "length": episode.num_frames,
            "task_name": episode.task,
            "split": split,
            "seed": episode.seed,
            "success": episode.success,
        }
        last = first + episode.num_frames
        for camera in spec.cameras:
            prefix = f"videos/{fmt.video_key(camera.name)}"
            row[f"{prefix}/from_timestamp"] = first * spec.frame_period_s
            row[f"{prefix}/to_timestamp"] = last * spec.frame_period_s
        first = last
        images = image_statistics[number].items()
        features = {
            fmt.STATE: vector_statistics(episode.state),
            fmt.ACTION: vector_statistics(episode.action),
            **{fmt.video_key(name): statistics for name, statistics in images},
        }
        for feature, statistics in features.items():
            for name, value in statistics.items():
                row[f"stats/{feature}/{name}"] = value.tolist()
        rows.append(row)
    return pa.Table.from_pylist(rows)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

"""Makes one LeRobot dataset (format v3.0) of finished shards."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..spec import CellSpec
from . import lerobot_format as fmt
from .shards import EPISODES_FILE, FRAMES_FILE, ShardSummary, shard_folder, video_file
from .statistics import aggregate
from .video_file import PIXEL_FORMAT


def assemble(
    root: Path,
    shards: Path,
    summaries: Sequence[ShardSummary],
    spec: CellSpec,
    robot_type: str = fmt.ROBOT_TYPE,
    pixel_format: str = PIXEL_FORMAT,
) -> None:
    """(Re)write the dataset at `root` from the shards; they stay as they are.

    Videos are hard links to the shards' files where the file system can, else copies. Every
    file is replaced in one step and `info.json` last, so the dataset can be read after an
    interruption at any time.

    Args:
        root: the dataset's folder.
        shards: folder of the finished shards.
        summaries: those that enter, in order; those without episodes are left out.
        spec: joints, cameras and period.
        robot_type: named in `info.json`.
        pixel_format: of the videos.
    """
    summaries = [summary for summary in summaries if summary.kept]
    episode_tables: list[pa.Table] = []
    tasks: dict[str, int] = {}
    frames = 0
    for summary in summaries:
        folder = shard_folder(shards, summary.number)
        first_episode = sum(len(table) for table in episode_tables)
        table = _place_episodes(
            pq.read_table(folder / EPISODES_FILE), first_episode, frames, summary.number, spec
        )
        instructions = [names[0] for names in table["tasks"].to_pylist()]
        for instruction in instructions:
            tasks.setdefault(instruction, len(tasks))
        frame_table = _place_frames(
            pq.read_table(folder / FRAMES_FILE),
            first_episode,
            frames,
            np.array([tasks[instruction] for instruction in instructions]),
        )
        _write_table(frame_table, root / fmt.data_path(summary.number))
        for camera in spec.cameras:
            _link(
                video_file(folder, camera.name), root / fmt.video_path(camera.name, summary.number)
            )
        episode_tables.append(table)
        frames += summary.frames
    if not episode_tables:
        return
    episodes = pa.concat_tables(episode_tables)
    _write_table(episodes, root / fmt.EPISODES_PATTERN.format(chunk_index=0, file_index=0))
    _write_table(_tasks_table(tasks), root / fmt.TASKS_PATH)
    _write_json(_dataset_statistics(episodes), root / fmt.STATS_PATH)
    _write_json(spec.to_dict(), root / fmt.CELL_PATH)
    info = {
        "codebase_version": fmt.CODEBASE_VERSION,
        "robot_type": robot_type,
        "total_episodes": len(episodes),
        "total_frames": frames,
        "total_tasks": len(tasks),
        "chunks_size": fmt.CHUNK_SIZE,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fmt.frame_rate(spec),
        "splits": {"train": f"0:{len(episodes)}"},
        "data_path": fmt.DATA_PATTERN,
        "video_path": fmt.VIDEO_PATTERN,
        "features": fmt.features(spec, summaries[0].image_sizes, pixel_format),
    }
    _write_json(info, root / fmt.INFO_PATH)


def _place_episodes(
    table: pa.Table, first_episode: int, first_frame: int, number: int, spec: CellSpec
) -> pa.Table:
    """Number the episodes of a shard within the dataset and say where their files lie."""
    lengths = table["length"].to_numpy()
    ends = first_frame + np.cumsum(lengths)
    table = _set(table, "episode_index", first_episode + np.arange(len(table)))
    table = _set(table, "dataset_from_index", ends - lengths)
    table = _set(table, "dataset_to_index", ends)
    prefixes = ["data", *(f"videos/{fmt.video_key(camera.name)}" for camera in spec.cameras)]
    for prefix in prefixes:
        for name, value in fmt.file_indices(number).items():
            table = _set(table, f"{prefix}/{name}", np.full(len(table), value))
    for name in ("chunk_index", "file_index"):
        table = _set(table, f"meta/episodes/{name}", np.zeros(len(table), dtype=np.int64))
    return table


def _place_frames(
    table: pa.Table, first_episode: int, first_frame: int, task_indices: np.ndarray
) -> pa.Table:
    episode = table["episode_index"].to_numpy()
    table = _set(table, "episode_index", first_episode + episode)
    table = _set(table, "index", first_frame + np.arange(len(table)))
    return _set(table, "task_index", task_indices[episode])


def _set(table: pa.Table, name: str, values: np.ndarray) -> pa.Table:
    column = pa.array(values.astype(np.int64))
    place = table.schema.get_field_index(name)
    if place < 0:
        return table.append_column(name, column)
    return table.set_column(place, name, column)


def _tasks_table(tasks: dict[str, int]) -> pa.Table:
    """A table that pandas reads as a frame indexed by the instruction."""
    index = "__index_level_0__"
    table = pa.table({"task_index": list(tasks.values()), index: list(tasks)})
    columns = [
        {
            "name": "task_index",
            "field_name": "task_index",
            "pandas_type": "int64",
            "numpy_type": "int64",
            "metadata": None,
        },
        {
            "name": None,
            "field_name": index,
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": None,
        },
    ]
    pandas = {
        "index_columns": [index],
        "column_indexes": [],
        "columns": columns,
        "pandas_version": "2.2.0",
    }
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _dataset_statistics(episodes: pa.Table) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, list[Any]]] = {}
    for column in episodes.column_names:
        if column.startswith("stats/"):
            _, feature, name = column.split("/")
            parts.setdefault(feature, {})[name] = episodes[column].to_pylist()
    statistics = {}
    for feature, columns in parts.items():
        rows = [
            {name: np.array(values[row]) for name, values in columns.items()}
            for row in range(len(episodes))
        ]
        statistics[feature] = {name: value.tolist() for name, value in aggregate(rows).items()}
    return statistics


def _write_table(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    pq.write_table(table, temporary)
    os.replace(temporary, path)


def _write_json(values: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(values, indent=4, ensure_ascii=False))
    os.replace(temporary, path)


def _link(source: Path, target: Path) -> None:
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
    os.replace(temporary, target)

"""The frames of a LeRobot dataset (v2.1 or v3.0), given to a replay as if they were messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..context.camera_input import CameraInput
from ..data import lerobot_format as fmt
from ..data.lerobot_reader import EpisodeEntry, episode_entry, episode_rows, matrix, row_files
from ..data.video_file import stream_frames
from .errors import RecordingError
from .marks import Mark, MarkKind
from .replay import MAX_GAP_S, Replay
from .settings import CellSettings

OLD = "v2.1"
VERSIONS = (OLD, fmt.CODEBASE_VERSION)


def is_dataset(path: Path) -> bool:
    """Whether a folder is a LeRobot dataset."""
    return (path / fmt.INFO_PATH).is_file()


class LeRobotSource:
    """A dataset, opened.

    Args:
        root: its folder.
        settings: of the cell; its cameras and joints must be in the dataset.

    Raises:
        RecordingError: it is damaged, of another version, or lacks a camera or a joint.
    """

    def __init__(self, root: Path, settings: CellSettings) -> None:
        self.root = root
        self._settings = settings
        self._info = _read_info(root)
        self._fps = float(self._info["fps"])
        self._keys = {
            camera.name: self._camera_key(camera.name) for camera in settings.spec.cameras
        }
        self._state_names = self._joints(fmt.STATE)
        self._action_names = self._joints(fmt.ACTION)
        try:
            old = self._info["codebase_version"] == OLD
            self._entries = list(self._old_entries() if old else self._new_entries())
        except (OSError, pa.ArrowException, KeyError, ValueError, IndexError) as error:
            raise RecordingError(f"the list of episodes of {root} is damaged: {error}") from error
        if not self._entries:
            raise RecordingError(f"{root} lists no episodes")

    @property
    def num_frames(self) -> int:
        """Frames of all episodes, at the dataset's own rate."""
        return sum(entry.length for entry in self._entries)

    def inputs(self) -> dict[str, CameraInput]:
        """Of each camera, with the size of its pictures: they are neither cropped nor rectified,
        since in a dataset of `import` they are that already."""
        found = {}
        for name, key in self._keys.items():
            feature = self._info["features"][key]
            axes = dict(zip(feature.get("names") or (), feature["shape"], strict=False))
            rows, columns = feature["shape"][0], feature["shape"][1]
            found[name] = replace(
                self._settings.inputs[name],
                height=axes.get("height", rows),
                width=axes.get("width", columns),
                window=None,
                rectify=False,
            )
        return found

    def feed(self, replay: Replay, progress: Callable[[int], object]) -> list[str]:
        """Give all episodes to a replay; gives what is wrong with those that cannot be read.

        Args:
            replay: takes them.
            progress: called with the number of frames so far.
        """
        damaged = []
        begins_s, done = 1.0, 0
        for entry in self._entries:
            start = Mark(MarkKind.START, entry.index, entry.task, entry.instruction, entry.seed)
            replay.mark(start, begins_s)
            now = begins_s
            verdict = MarkKind.SUCCESS if entry.success else MarkKind.FAILURE
            try:
                for time_s in self._frames(entry, replay, begins_s):
                    now = time_s
                    done += 1
                    progress(done)
            except (OSError, av.FFmpegError, pa.ArrowException, KeyError, ValueError) as error:
                damaged.append(f"episode {entry.index} of {self.root}: {error}")
                verdict = MarkKind.DISCARD
            replay.mark(Mark(verdict, entry.index), now + 0.5 / self._fps)
            begins_s = now + 2 * MAX_GAP_S
        return damaged

    def _frames(self, entry: EpisodeEntry, replay: Replay, begins_s: float) -> Iterator[float]:
        """Give every frame to the replay; gives the time of each."""
        table = pq.read_table(self.root / entry.data_path)
        rows = table.filter(pa.compute.equal(table["episode_index"], entry.index))
        if len(rows) != entry.length:
            raise ValueError(f"{entry.data_path} holds {len(rows)} of its {entry.length} frames")
        state, action = matrix(rows[fmt.STATE]), matrix(rows[fmt.ACTION])
        videos = {
            name: stream_frames(self.root / path, first_s, entry.length, self._fps)
            for name, (path, first_s) in entry.videos.items()
        }
        none = np.empty(0, np.float32)
        for number in range(entry.length):
            now = begins_s + number / self._fps
            # The action of a frame is the command at the next one.
            replay.command(now + 1 / self._fps, self._action_names, action[number])
            replay.joints(now, self._state_names, state[number], none, now)
            for name, pictures in videos.items():
                replay.image(name, now, next(pictures), now)
            yield now

    def _camera_key(self, camera: str) -> str:
        key = self._settings.names.cameras.get(camera, fmt.video_key(camera))
        feature = self._info["features"].get(key)
        if feature is None or feature["dtype"] != "video":
            videos = [name for name, f in self._info["features"].items() if f["dtype"] == "video"]
            raise RecordingError(
                f"{self.root} has no video {key} for camera '{camera}'; it has "
                f"{', '.join(videos) or 'none'}. Other names go into a file for --map"
            )
        return key

    def _joints(self, feature: str) -> tuple[str, ...]:
        """Names of a vector's entries, by the cell's names."""
        names = self._info["features"].get(feature, {}).get("names")
        if isinstance(names, dict):
            names = [name for part in names.values() for name in part]
        plain = [str(name).removesuffix(".pos") for name in names or ()]
        found = self._settings.cell_joints(plain)
        missing = [joint for joint in self._settings.spec.joint_names if joint not in found]
        if missing:
            raise RecordingError(
                f"{feature} of {self.root} has no {', '.join(missing)}; it has "
                f"{', '.join(plain) or 'no names'}. Other names go into a file for --map"
            )
        return found

    def _old_entries(self) -> Iterator[EpisodeEntry]:
        path = self.root / "meta" / "episodes.jsonl"
        for line in filter(None, path.read_text(encoding="utf-8").splitlines()):
            row = json.loads(line)
            index = int(row["episode_index"])
            chunk = index // int(self._info.get("chunks_size", 1000))
            videos = {
                name: (self._path("video_path", chunk, index, key), 0.0)
                for name, key in self._keys.items()
            }
            yield episode_entry(row, self._path("data_path", chunk, index, ""), videos)

    def _path(self, template: str, chunk: int, index: int, key: str) -> Path:
        return Path(
            self._info[template].format(episode_chunk=chunk, episode_index=index, video_key=key)
        )

    def _new_entries(self) -> Iterator[EpisodeEntry]:
        for row in episode_rows(self.root):
            yield episode_entry(row, *row_files(row, self._info, self._keys))


def _read_info(root: Path) -> dict[str, Any]:
    path = root / fmt.INFO_PATH
    try:
        info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = info["codebase_version"]
        missing = {"fps", "features", "data_path", "video_path"} - set(info)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path} is damaged: {error}") from error
    if version not in VERSIONS:
        raise RecordingError(f"{root} has format {version}; {' and '.join(VERSIONS)} are read")
    if missing:
        raise RecordingError(f"{path} says nothing of {', '.join(sorted(missing))}")
    return info

"""Names and paths of the LeRobot dataset format, version 3.0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..spec import CellSpec, SpecMismatchError
from .video_file import PIXEL_FORMAT

CODEBASE_VERSION = "v3.0"
CHUNK_SIZE = 1000
DATA_PATTERN = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATTERN = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATTERN = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
INFO_PATH = Path("meta/info.json")
STATS_PATH = Path("meta/stats.json")
CELL_PATH = Path("meta/cell.json")
"""Our own: the `CellSpec` of the dataset. LeRobot does not look at it."""
TASKS_PATH = Path("meta/tasks.parquet")
ROBOT_TYPE = "dva_ros_embedded_cell"

STATE = "observation.state"
ACTION = "action"
CLEAN = "clean"
DONE = "next.done"
SUCCESS = "next.success"


def video_key(camera: str) -> str:
    """Name of a camera's feature."""
    return f"observation.images.{camera}"


def file_indices(file_number: int) -> dict[str, int]:
    """Chunk and file index of the n-th file."""
    return {"chunk_index": file_number // CHUNK_SIZE, "file_index": file_number % CHUNK_SIZE}


def data_path(file_number: int) -> Path:
    """Table of frames."""
    return Path(DATA_PATTERN.format(**file_indices(file_number)))


def video_path(camera: str, file_number: int) -> Path:
    """Video of a camera."""
    return Path(VIDEO_PATTERN.format(video_key=video_key(camera), **file_indices(file_number)))


def features(
    spec: CellSpec, image_sizes: dict[str, tuple[int, int]], pixel_format: str = PIXEL_FORMAT
) -> dict[str, Any]:
    """The table `features` of info.json.

    Args:
        spec: joints, cameras and period.
        image_sizes: camera -> (height, width) of its video in pixels.
        pixel_format: of the videos.
    """

    def scalar(dtype: str) -> dict[str, Any]:
        return {"dtype": dtype, "shape": [1], "names": None}

    joints = {"dtype": "float32", "shape": [spec.num_joints], "names": list(spec.joint_names)}
    videos = {
        video_key(camera): {
            "dtype": "video",
            "shape": [height, width, 3],
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": height,
                "video.width": width,
                "video.codec": "h264",
                "video.pix_fmt": pixel_format,
                "video.is_depth_map": False,
                "video.fps": frame_rate(spec),
                "video.channels": 3,
                "has_audio": False,
            },
        }
        for camera, (height, width) in image_sizes.items()
    }
    return {
        STATE: joints,
        ACTION: joints,
        **videos,
        CLEAN: scalar("bool"),
        DONE: scalar("bool"),
        SUCCESS: scalar("bool"),
        "timestamp": scalar("float32"),
        "frame_index": scalar("int64"),
        "episode_index": scalar("int64"),
        "index": scalar("int64"),
        "task_index": scalar("int64"),
    }


def frame_rate(spec: CellSpec) -> int:
    """Frames per second; the format holds whole numbers only.

    Raises:
        SpecMismatchError: the period is no such rate.
    """
    rate = round(1.0 / spec.frame_period_s)
    if abs(rate * spec.frame_period_s - 1.0) > 1e-6:
        raise SpecMismatchError(
            f"frame_period_s is {spec.frame_period_s}: datasets hold a whole number of frames a "
            "second only; choose 1/5, 1/10 s or the like"
        )
    return rate

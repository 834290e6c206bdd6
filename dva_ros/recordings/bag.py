"""Opens a bag: an MCAP or sqlite3 file, or a rosbag2 folder of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .bag_file import BagFile
from .errors import RecordingError
from .mcap_file import McapFile
from .sqlite_file import SqliteFile

FORMATS: dict[str, Callable[[Path], BagFile]] = {".mcap": McapFile, ".db3": SqliteFile}


def open_bag(path: Path) -> list[BagFile]:
    """The files of a bag in order: one ``.mcap`` or ``.db3`` file, or a folder of them.

    Raises:
        RecordingError: there is no such file, or none that can be read.
    """
    return [_open_file(file) for file in _files(path)]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise RecordingError(f"{path} does not exist")
    files = sorted((file for file in path.iterdir() if file.suffix in FORMATS), key=_number)
    if not files:
        raise RecordingError(f"{path} holds no .mcap or .db3 file: {_contents(path)}")
    return files


def _number(path: Path) -> tuple[int, str]:
    """rosbag2 counts the files of a bag: name_0, name_1, …, name_10."""
    number = path.stem.rpartition("_")[2]
    return (int(number) if number.isdigit() else 0, path.name)


def _contents(path: Path) -> str:
    names = sorted(file.name for file in path.iterdir())
    if any(name.endswith(".zstd") for name in names):
        return "its files are compressed as a whole; run `zstd -d --rm` on them first"
    return "it has " + (", ".join(names[:8]) or "no files")


def _open_file(path: Path) -> BagFile:
    if path.suffix not in FORMATS:
        raise RecordingError(f"{path} is not a bag: its name ends neither in .mcap nor in .db3")
    return FORMATS[path.suffix](path)

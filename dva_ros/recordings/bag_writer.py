"""Writes serialized messages into an MCAP file that a crash leaves readable."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from mcap.writer import CompressionType, Writer

from .errors import RecordingError
from .message_definitions import message_definition

COMPRESSIONS = {
    "none": CompressionType.NONE,
    "lz4": CompressionType.LZ4,
    "zstd": CompressionType.ZSTD,
}
CHUNK_BYTES = 1 << 20
FLUSH_S = 0.5
"""What is older than this survives the death of the process."""
SYNC_S = 5.0
"""What is older than about this survives the death of the machine."""


class BagWriter:
    """One MCAP file with the ros2 profile: messages as they came, with their definitions.

    Nothing that was flushed is ever changed, so whatever ends the process leaves a file that is
    whole up to the last flush. It has no summary then; readers that stream need none.

    All methods belong to one thread.

    Args:
        path: of the file; made anew.
        compression: "none", "lz4" or "zstd", of each chunk.
        least_free_bytes: space on the disk below which writing is refused.
        definition: gives a type's definition.

    Raises:
        RecordingError: the file exists or cannot be made, or the disk is too full.
    """

    def __init__(
        self,
        path: Path,
        compression: str = "none",
        least_free_bytes: int = 0,
        definition: Callable[[str], str] = message_definition,
    ) -> None:
        self.path = path
        self.messages = 0
        self._least_free_bytes = least_free_bytes
        self._definition = definition
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._syncing: threading.Thread | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("xb")
        except OSError as error:
            raise RecordingError(f"{path} cannot be made: {error.strerror}") from error
        try:
            self.require_space()
        except RecordingError:
            self._file.close()
            path.unlink()
            raise
        self._writer = Writer(self._file, CHUNK_BYTES, COMPRESSIONS[compression])
        self._writer.start("ros2", "dva_ros")
        self._flushed_s = self._synced_s = time.monotonic()

    def free_bytes(self) -> int:
        """Space left on the disk."""
        return shutil.disk_usage(self.path.parent).free

    def require_space(self) -> None:
        """Raises `RecordingError` where the disk has less space than it must keep."""
        free = self.free_bytes()
        if free < self._least_free_bytes:
            raise RecordingError(
                f"the disk of {self.path} has {free / 1e9:.2f} GB free, "
                f"{self._least_free_bytes / 1e9:.2f} GB are to stay free; free some space"
            )

    def open_topic(self, topic: str, type_name: str) -> None:
        """Name a topic in the file before its first message.

        Raises:
            RecordingError: the type's definition is not installed.
        """
        if topic in self._channels:
            return
        if type_name not in self._schemas:
            text = self._definition(type_name).encode()
            self._schemas[type_name] = self._writer.register_schema(type_name, "ros2msg", text)
        self._channels[topic] = self._writer.register_channel(
            topic, "cdr", self._schemas[type_name], {"offered_qos_profiles": ""}
        )

    def write(self, topic: str, data: bytes, log_ns: int) -> None:
        """Write one message of a topic that was opened.

        Args:
            topic: its full name.
            data: serialized (CDR, with its header of four bytes).
            log_ns: when it arrived, on the robot's clock.

        Raises:
            RecordingError: the disk is full or cannot be written.
        """
        try:
            self._writer.add_message(self._channels[topic], log_ns, data, log_ns, self.messages)
            self.messages += 1
            if time.monotonic() - self._flushed_s >= FLUSH_S:
                self.flush()
        except OSError as error:
            raise RecordingError(f"{self.path} cannot be written: {error.strerror}") from error

    def flush(self) -> None:
        """Hand everything to the operating system; now and then, in the background, the disk.

        Raises:
            RecordingError: the disk is full or cannot be written.
        """
        try:
            self._writer.flush()
        except OSError as error:
            raise RecordingError(f"{self.path} cannot be written: {error.strerror}") from error
        self._flushed_s = time.monotonic()
        if self._flushed_s - self._synced_s >= SYNC_S and not self._is_syncing():
            self._synced_s = self._flushed_s
            self._syncing = threading.Thread(target=os.fsync, args=(self._file.fileno(),))
            self._syncing.start()

    def close(self) -> None:
        """Write the summary and close the file; what was flushed stays whatever happens.

        Raises:
            RecordingError: the disk is full or cannot be written.
        """
        if self._file.closed:
            return
        if self._syncing is not None:
            self._syncing.join()
        try:
            self._writer.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RecordingError(f"{self.path} cannot be written: {error.strerror}") from error
        finally:
            with suppress(OSError):  # the same full disk; the file is closed all the same
                self._file.close()

    def _is_syncing(self) -> bool:
        return self._syncing is not None and self._syncing.is_alive()

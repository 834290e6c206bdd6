"""Reads a file of rosbag2's sqlite3 storage row by row, also where it is cut."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from .bag_file import Break, RawMessage, Topic
from .errors import RecordingError


class SqliteFile:
    """See `bag_file.BagFile`. Rows come in the order in which they were recorded.

    Raises:
        RecordingError: the file cannot be opened or is no bag.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        self.breaks: list[Break] = []
        try:
            self.size = path.stat().st_size
            self._topics = self._read_topics()
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror}") from error
        except sqlite3.Error as error:
            raise RecordingError(f"{path} is no sqlite3 bag: {error}") from error

    def topics(self) -> list[Topic]:
        """All topics of the file."""
        return list(self._topics.values())

    def messages(self) -> Iterator[RawMessage]:
        """All messages in the order of the file."""
        connection = self._connect()
        log_s: float | None = None
        try:
            rows = connection.execute("SELECT topic_id, timestamp, data FROM messages ORDER BY id")
            for topic_id, timestamp, data in rows:
                topic = self._topics.get(topic_id)
                if topic is None:
                    continue
                log_s = timestamp * 1e-9
                self.position += len(data)
                yield RawMessage(topic, log_s, data)
        except sqlite3.Error as error:
            self.breaks.append(Break(self.path, -1, log_s, str(error), ends=True))
        finally:
            connection.close()
        self.position = self.size

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)
        # Without it a file that was cut is refused as a whole.
        connection.execute("PRAGMA writable_schema=ON")
        return connection

    def _read_topics(self) -> dict[int, Topic]:
        connection = self._connect()
        try:
            definitions = _definitions(connection)
            rows = connection.execute("SELECT id, name, type FROM topics").fetchall()
            return {row[0]: Topic(row[1], row[2], definitions.get(row[2], "")) for row in rows}
        finally:
            connection.close()


def _definitions(connection: sqlite3.Connection) -> dict[str, str]:
    """Type -> its definition; older bags carry none."""
    try:
        rows = connection.execute(
            "SELECT topic_type, encoded_message_definition FROM message_definitions "
            "WHERE encoding = 'ros2msg'"
        )
        return dict(rows.fetchall())
    except sqlite3.OperationalError:
        return {}

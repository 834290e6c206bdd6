"""Reads an MCAP file record by record, also where it ends in the middle of one.

The stream reader of the `mcap` package gives nothing of a chunk that is cut. Here its whole
messages are given and the place of the break is known. That package parses the summary, and the
records that are not read for every message.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Channel, Schema
from mcap.summary import Summary

from .bag_file import Break, RawMessage, Topic
from .errors import RecordingError

MAGIC = b"\x89MCAP0\r\n"
HEAD_BYTES = 16_000_000
"""Where a file has no summary, its topics are those named up to here."""

_RECORD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK = struct.Struct("<QQQII")
_LENGTH = struct.Struct("<Q")
_LEAST_PRIVATE = 0x80


class McapFile:
    """See `bag_file.BagFile`.

    Raises:
        RecordingError: the file cannot be opened or is no MCAP file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        self.breaks: list[Break] = []
        self._schemas: dict[int, Schema] = {}
        self._topics: dict[int, Topic] = {}
        self._log_s: float | None = None
        try:
            self.size = path.stat().st_size
            with path.open("rb") as file:
                magic = file.read(len(MAGIC))
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror}") from error
        if magic != MAGIC:
            raise RecordingError(f"{path} is no MCAP file: it begins with {magic!r}")

    def topics(self) -> list[Topic]:
        """The topics of the summary, or those named at the beginning where there is none."""
        head = McapFile(self.path)
        head._learn_from_summary()
        if not head._topics:
            for _ in head.messages():
                if head.position > HEAD_BYTES:
                    break
        return list(head._topics.values())

    def messages(self) -> Iterator[RawMessage]:
        """All messages in the order of the file; one chunk at a time is in memory."""
        self._learn_from_summary()
        with self.path.open("rb") as file:
            self.position = len(MAGIC)
            while True:
                place = self.position
                file.seek(place)
                opcode, length, data = _read_record(file, self.size - place)
                if opcode in (Opcode.DATA_END, Opcode.FOOTER):
                    self.position = self.size
                    return
                whole = length is not None and len(data) == length and _plausible(opcode)
                if opcode == Opcode.CHUNK and length is not None:
                    yield from self._chunk(place, data, whole)
                elif whole:
                    message = self._record(opcode, data)
                    if message is not None:
                        yield message
                if whole:
                    assert length is not None
                    self.position = place + _RECORD.size + length
                elif not self._go_on_after(place):
                    return

    def _go_on_after(self, place: int) -> bool:
        """Note a record that is cut or is none, and find the next chunk after it."""
        following = self._next_chunk(place)
        if self.position == place and not (self.breaks and self.breaks[-1].offset >= place):
            self._damaged(place, _reason(place, self.size), ends=following is None)
        self.position = self.size if following is None else following
        return following is not None

    def _next_chunk(self, place: int) -> int | None:
        summary = self._summary()
        starts = [index.chunk_start_offset for index in summary.chunk_indexes] if summary else []
        return min((start for start in starts if start > place), default=None)

    def _chunk(self, place: int, data: memoryview, whole: bool) -> Iterator[RawMessage]:
        try:
            start = _CHUNK.size
            _, _, size, checksum, name_length = _CHUNK.unpack_from(data)
            compression = bytes(data[start : start + name_length]).decode()
            start += name_length
            (length,) = _LENGTH.unpack_from(data, start)
            start += _LENGTH.size
            content = _decompress(compression, data[start : start + length], size, whole)
        except (struct.error, ValueError, RuntimeError, MemoryError, zstandard.ZstdError) as error:
            self._damaged(place, f"a chunk cannot be read: {error}", ends=not whole)
            return
        if whole and checksum and zlib.crc32(content) != checksum:
            self._damaged(place, "a chunk's checksum is wrong; it is left out", ends=False)
            return
        used = 0
        for opcode, record in _whole_records(content):
            used += _RECORD.size + len(record)
            message = self._record(opcode, record)
            if message is not None:
                yield message
        if not whole or used < len(content):
            inside = place + _RECORD.size + start + used if not compression else place
            reason = "the file ends within a chunk" if not whole else "a chunk ends too early"
            self._damaged(inside, reason, ends=not whole)

    def _record(self, opcode: int, data: memoryview) -> RawMessage | None:
        """The message where the record is one; schemas and channels are remembered."""
        if opcode == Opcode.MESSAGE:
            channel, _, log_ns, _ = _MESSAGE.unpack_from(data)
            topic = self._topics.get(channel)
            if topic is None:
                return None
            self._log_s = log_ns * 1e-9
            return RawMessage(topic, self._log_s, data[_MESSAGE.size :])
        if opcode == Opcode.SCHEMA:
            schema = Schema.read(ReadDataStream(BytesIO(data)))
            self._schemas[schema.id] = schema
        elif opcode == Opcode.CHANNEL:
            channel_record = Channel.read(ReadDataStream(BytesIO(data)))
            if channel_record.id not in self._topics:
                of_type = self._schemas.get(channel_record.schema_id)
                self._topics[channel_record.id] = _topic(channel_record, of_type)
        return None

    def _learn_from_summary(self) -> None:
        """So that the loss of the chunk that names a topic does not lose the topic."""
        summary = self._summary()
        if summary is not None:
            self._schemas = dict(summary.schemas)
            self._topics = {
                number: _topic(channel, self._schemas.get(channel.schema_id))
                for number, channel in summary.channels.items()
            }

    def _damaged(self, offset: int, reason: str, ends: bool) -> None:
        self.breaks.append(Break(self.path, offset, self._log_s, reason, ends))

    def _summary(self) -> Summary | None:
        try:
            with self.path.open("rb") as file:
                return make_reader(file).get_summary()
        except (McapError, struct.error, ValueError, OSError):
            return None


def _topic(channel: Channel, schema: Schema | None) -> Topic:
    if schema is None or schema.encoding != "ros2msg":
        return Topic(channel.topic, schema.name if schema else "", "")
    return Topic(channel.topic, schema.name, schema.data.decode("utf-8", "replace"))


def _read_record(file: IO[bytes], left: int) -> tuple[int, int | None, memoryview]:
    """Opcode, length that it claims (None where even that is cut), and what there is of it in
    the bytes that are `left` of the file."""
    head = file.read(_RECORD.size)
    if len(head) < _RECORD.size:
        return 0, None, memoryview(b"")
    opcode, length = _RECORD.unpack(head)
    if not _plausible(opcode):
        return opcode, length, memoryview(b"")
    return opcode, length, memoryview(file.read(min(length, left)))


def _plausible(opcode: int) -> bool:
    return Opcode.HEADER <= opcode <= Opcode.DATA_END or opcode >= _LEAST_PRIVATE


def _reason(place: int, size: int) -> str:
    if place >= size:
        return "the file has no end: its recorder did not close it"
    return "what stands there is no whole record"


def _decompress(compression: str, data: memoryview, size: int, whole: bool) -> memoryview:
    """What of a chunk can be had; all of it where it is `whole`."""
    if compression == "":
        return data
    if compression == "zstd":
        decompressor = zstandard.ZstdDecompressor()
        if whole:
            return memoryview(decompressor.decompress(data, max_output_size=size))
        return memoryview(decompressor.decompressobj().decompress(data))
    if compression == "lz4":
        return memoryview(lz4.frame.LZ4FrameDecompressor().decompress(data))
    raise ValueError(f"its compression '{compression}' is unknown")


def _whole_records(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    place = 0
    while place + _RECORD.size <= len(content):
        opcode, length = _RECORD.unpack_from(content, place)
        end = place + _RECORD.size + length
        if end > len(content):
            return
        yield opcode, content[place + _RECORD.size : end]
        place = end

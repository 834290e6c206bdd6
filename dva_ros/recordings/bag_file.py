"""What a file of a bag provides, whatever its storage format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Topic:
    """A topic of a bag.

    Attributes:
        name: in full.
        type_name: as in ``sensor_msgs/msg/Image``.
        definition: text of the type and those in it (``ros2msg``); empty where the bag has none.
    """

    name: str
    type_name: str
    definition: str


@dataclass(frozen=True)
class RawMessage:
    """A serialized message.

    Attributes:
        topic: that it came on.
        log_s: when it was recorded, s on the recorder's clock.
        data: CDR, with its header.
    """

    topic: Topic
    log_s: float
    data: bytes | memoryview


@dataclass(frozen=True)
class Break:
    """Where a bag is damaged.

    Attributes:
        path: of the file.
        offset: first byte that could not be used; -1 where the storage has no offsets.
        log_s: of the last message before it, s; None where there was none.
        reason: what is wrong there.
        ends: nothing of the file was read after it.
    """

    path: Path
    offset: int
    log_s: float | None
    reason: str
    ends: bool

    def __str__(self) -> str:
        place = f"byte {self.offset} of {self.path}" if self.offset >= 0 else f"{self.path}"
        last = "no message" if self.log_s is None else f"messages up to {self.log_s:.3f} s"
        after = "; nothing after it can be read" if self.ends else "; reading goes on after it"
        return f"damaged at {place}: {self.reason} ({last} before it{after})"


class BagFile(Protocol):
    """One file of a bag, read from its beginning to its end.

    Attributes:
        path: of the file.
        size: in bytes.
        position: bytes read so far.
        breaks: found so far.
    """

    path: Path
    size: int
    position: int
    breaks: list[Break]

    def topics(self) -> list[Topic]:
        """The topics that the file names at its beginning (or in its summary)."""

    def messages(self) -> Iterator[RawMessage]:
        """All messages in the order of the file, with a bounded amount in memory."""

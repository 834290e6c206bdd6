"""Serialized messages to objects with the fields of the message, without ROS."""

from __future__ import annotations

import struct
from typing import Any

from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from .bag_file import RawMessage, Topic
from .errors import RecordingError
from .message_definitions import SEPARATOR, message_definition


class MessageError(RecordingError):
    """One message cannot be read; says why."""


class Decoder:
    """Decodes CDR by the definitions that the bag carries, else those that are known here."""

    def __init__(self) -> None:
        self._store: Typestore = get_typestore(Stores.ROS2_JAZZY)
        self._known: set[str] = set()

    def decode(self, message: RawMessage) -> Any:
        """An object with the message's fields; arrays of numbers are NumPy arrays.

        Raises:
            MessageError: the bytes are no such message.
            RecordingError: the type's definition is neither in the bag nor known here.
        """
        topic = message.topic
        if topic.type_name not in self._known:
            self._learn(topic)
        try:
            return self._read(message.data, topic.type_name)
        except (SerdeError, struct.error, ValueError, IndexError) as error:
            raise MessageError(
                f"a message on {topic.name} at {message.log_s:.3f} s is no "
                f"{topic.type_name}: {error}"
            ) from error

    def _read(self, data: bytes | memoryview, type_name: str) -> Any:
        """As `Typestore.deserialize_cdr`, but for bytes after the end: Fast DDS sends some."""
        if len(data) < 4 or data[0] != 0 or data[1] not in (0, 1):
            raise ValueError("it does not begin as CDR does")
        reader = self._store.get_msgdef(type_name)
        read = reader.deserialize_cdr_le if data[1] else reader.deserialize_cdr_be
        content = memoryview(data)[4:]
        return read(content, 0, reader.cls, self._store)[0]

    def _learn(self, topic: Topic) -> None:
        if topic.type_name not in self._store.fielddefs:
            text = topic.definition or message_definition(topic.type_name)
            types = _types_of(text, topic.type_name)
            self._store.register(
                {name: fields for name, fields in types.items() if self._is_new(name)}
            )
        self._known.add(topic.type_name)

    def _is_new(self, name: str) -> bool:
        return name not in self._store.fielddefs


def _types_of(definition: str, type_name: str) -> dict[str, Any]:
    """Every type of a definition with its parts."""
    first, *others = definition.split(f"{SEPARATOR}\n")
    types = dict(get_types_from_msg(first, type_name))
    for part in others:
        head, _, text = part.partition("\n")
        package, _, kind = head.removeprefix("MSG: ").strip().rpartition("/")
        types.update(get_types_from_msg(text, f"{package.split('/')[0]}/msg/{kind}"))
    return types

"""Message definitions as bags carry them: a type's text and that of every type in it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ..resources import SOURCE_ROOT
from .errors import RecordingError

SEPARATOR = "=" * 80
_FIELD = re.compile(r"^\s*([A-Za-z]\w*(?:/\w+)*)(?:<=\d+)?(?:\[[^\]]*\])?\s+\w+")
_BASIC = re.compile(r"bool|byte|char|w?string|float(32|64)|u?int(8|16|32|64)")


def share_folders() -> list[Path]:
    """Where installed packages keep their files: `share` of every prefix, and the source tree."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return [*(Path(prefix) / "share" for prefix in prefixes if prefix), SOURCE_ROOT]


def message_definition(type_name: str, folders: Sequence[Path] | None = None) -> str:
    """The definition of a type and of those in it, as `ros2msg` schemas of MCAP have it.

    Args:
        type_name: as in ``sensor_msgs/msg/Image``.
        folders: that hold ``<package>/msg/<Type>.msg``; those of `share_folders` by default.

    Raises:
        RecordingError: a definition is not installed; names the type and the folders.
    """
    places = share_folders() if folders is None else folders
    texts: dict[str, str] = {}
    waiting = [type_name]
    while waiting:
        name = waiting.pop(0)
        if name not in texts:
            texts[name] = _text_of(name, places)
            waiting += _types_in(texts[name], name.partition("/")[0])
    first, *others = texts.items()
    parts = [first[1]]
    for name, text in others:
        package, _, kind = name.split("/")
        parts.append(f"{SEPARATOR}\nMSG: {package}/{kind}\n{text}")
    return "\n".join(parts)


def _text_of(type_name: str, folders: Sequence[Path]) -> str:
    try:
        package, _, kind = type_name.split("/")
    except ValueError:
        raise RecordingError(
            f"'{type_name}' is no message type like std_msgs/msg/String"
        ) from None
    for folder in folders:
        path = folder / package / "msg" / f"{kind}.msg"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise RecordingError(
        f"the definition of {type_name} is not installed; looked for {package}/msg/{kind}.msg in "
        + ", ".join(map(str, folders))
    )


def _types_in(text: str, package: str) -> list[str]:
    found = []
    for line in text.splitlines():
        match = _FIELD.match(line.partition("#")[0])
        if match is None or _BASIC.fullmatch(match[1]):
            continue
        owner, _, kind = match[1].rpartition("/")
        found.append(f"{owner.partition('/')[0] or package}/msg/{kind}")
    return found

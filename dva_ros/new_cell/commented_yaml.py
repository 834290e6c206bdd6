"""YAML with a comment on every line that needs one, as a person would write it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import yaml

WIDTH = 99
_COMMENT_COLUMN = 32


@dataclass(frozen=True)
class Line:
    """One entry.

    Attributes:
        key: its name.
        value: plain types; None stands for what must be filled in.
        comment: why it is this value; empty for none.
    """

    key: str
    value: object
    comment: str = ""


def comment(text: str, indent: str = "") -> str:
    """A paragraph of comment lines; an empty text is an empty line."""
    width = WIDTH - len(indent)
    lines = textwrap.wrap(text, width - 2, break_on_hyphens=False) or [""]
    return "".join(f"{indent}# {line}".rstrip() + "\n" for line in lines)


def mapping(lines: Iterable[Line], indent: str) -> str:
    """Entries of one mapping. Comments that do not fit behind stand before."""
    text = ""
    for line in lines:
        entry = f"{indent}{line.key}: {_flow(line.value, len(indent) + len(line.key) + 2)}"
        if not line.comment:
            text += entry + "\n"
            continue
        behind = f"{entry.ljust(_COMMENT_COLUMN)}  # {line.comment}"
        if "\n" not in entry and len(behind) <= WIDTH:
            text += behind + "\n"
        else:
            text += comment(line.comment, indent) + entry + "\n"
    return text


def _flow(value: object, column: int) -> str:
    """A value on one line, or a list over several."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = [_scalar(item) for item in value]
        whole = f"[{', '.join(items)}]"
        if column + len(whole) <= WIDTH:
            return whole
        rows = textwrap.wrap(", ".join(items), WIDTH - column - 2, break_on_hyphens=False)
        return "[" + ("\n" + " " * (column + 1)).join(rows) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    """As YAML reads it back: quoted where it must be."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")

"""Boxes that stand in the cell, read from a file such as ``config/tray.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..errors import UserError
from .clearance import Box

_FIELDS = ("size", "center", "allowed")


def load_boxes(path: str | Path) -> tuple[Box, ...]:
    """The boxes of the mapping ``obstacles``, in the file's order; see `Box` for units.

    Raises:
        UserError: the file cannot be read, or a value makes no sense; names box and field.
    """
    try:
        content = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"cannot read obstacles from {path}: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("obstacles"), dict):
        raise UserError(f"{path} has no mapping 'obstacles'")
    return tuple(_box(path, str(name), entry) for name, entry in content["obstacles"].items())


def _box(path: str | Path, name: str, entry: Any) -> Box:
    where = f"{path}, obstacle '{name}'"
    if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
        given = sorted(entry) if isinstance(entry, dict) else entry
        raise UserError(f"{where}: needs {', '.join(_FIELDS)}, and nothing else; got {given}")
    size = _numbers(where, entry, "size", 3)
    center = _numbers(where, entry, "center", 3)
    (allowed,) = _numbers(where, entry, "allowed", 1)
    if min(size) <= 0 or allowed < 0:
        raise UserError(
            f"{where}: size must be greater than 0 and allowed not negative, "
            f"got size {size} and allowed {allowed}"
        )
    return Box(name, (size[0], size[1], size[2]), (center[0], center[1], center[2]), allowed)


def _numbers(where: str, entry: dict[str, Any], field: str, count: int) -> list[float]:
    try:
        values = np.atleast_1d(np.asarray(entry[field], np.float64))
    except (TypeError, ValueError) as error:
        raise UserError(f"{where}: {field} is no number ({error})") from error
    if values.shape != (count,) or not np.isfinite(values).all():
        raise UserError(f"{where}: {field} must be {count} finite numbers, got {entry[field]}")
    return [float(value) for value in values]

"""The cell that a checkpoint was trained for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import UserError
from .spec import CellSpec

CONFIG_FILE = "config.yaml"


def trained_spec(folder: Path) -> CellSpec:
    """The cell that a checkpoint was trained for.

    Raises:
        UserError: its configuration cannot be read or has none.
    """
    import yaml

    path = folder / CONFIG_FILE
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{CONFIG_FILE} cannot be read: {error}") from error
    values = _find_spec(document)
    if values is None:
        raise UserError(f"{CONFIG_FILE} has no field spec")
    try:
        return CellSpec.from_dict(dict(values))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{CONFIG_FILE}: field spec cannot be understood: {error}") from error


def _find_spec(document: Any) -> Mapping[str, Any] | None:
    """The mapping `spec`, at any depth: each kind of model has its own outer fields."""
    if not isinstance(document, Mapping):
        return None
    if isinstance(document.get("spec"), Mapping):
        return document["spec"]
    found = (_find_spec(value) for value in document.values())
    return next((spec for spec in found if spec is not None), None)

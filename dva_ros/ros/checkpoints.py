"""Checkpoints as nodes load them: found by name, held against the cell's configuration."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from ..resources import model_path
from ..spec import CellSpec


def checkpoint_path(name: str) -> Path:
    """The folder of a checkpoint, e.g. ``cpu/video`` or a path.

    Raises:
        UserError: there is none, or it is incomplete; says which file is missing.
    """
    folder = model_path(name)
    for file in ("config.yaml", "model.safetensors"):
        if not (folder / file).is_file():
            raise UserError(f"checkpoint {folder} is incomplete: {file} is missing")
    return folder


def require_spec(checkpoint: Path, trained: CellSpec, configured: CellSpec, node: str) -> None:
    """Refuse a checkpoint that was trained for another cell.

    Raises:
        SpecMismatchError: names the first field that differs.
    """
    trained.require_equal(configured, f"checkpoint {checkpoint}", f"the configuration of {node}")

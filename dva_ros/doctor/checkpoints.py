"""The checkpoints in models/, held against the configured cell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dva_ros.errors import UserError
from dva_ros.resources import share_root
from dva_ros.spec import EMBEDDED_CELL, CellSpec

from .check import Check, Section, Status

CONFIG_FILE, WEIGHTS_FILE = "config.yaml", "model.safetensors"
PURPOSE = "prediction"
TRAIN = "train it: python -m dva_ros train"


def checkpoint_section(models: Path | None = None, cell: CellSpec = EMBEDDED_CELL) -> Section:
    """Every folder below `models` (default: the project's own) that holds a checkpoint."""
    title = "Checkpoints"
    try:
        root = models if models is not None else share_root() / "models"
    except UserError as error:
        return Section(title, (Check("models/", Status.MISSING, str(error), PURPOSE),))
    files = [*root.rglob(CONFIG_FILE), *root.rglob(WEIGHTS_FILE)]
    folders = sorted({path.parent for path in files})
    if not folders:
        return Section(title, (Check(str(root), Status.MISSING, "none", PURPOSE, TRAIN),))
    return Section(title, tuple(_checkpoint(folder, root, cell) for folder in folders))


def _checkpoint(folder: Path, root: Path, cell: CellSpec) -> Check:
    name = str(folder.relative_to(root))
    try:
        trained = trained_spec(folder)
        trained.require_equal(cell, "the checkpoint", "the cell")
        size = _weights(folder)
    except UserError as error:
        return Check(name, Status.MISSING, str(error), PURPOSE, TRAIN)
    return Check(name, Status.OK, f"fits the cell; {size}", PURPOSE)


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


def _weights(folder: Path) -> str:
    from safetensors import SafetensorError, safe_open

    path = folder / WEIGHTS_FILE
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = len(list(file.keys()))
    except (OSError, SafetensorError) as error:
        raise UserError(f"{WEIGHTS_FILE} cannot be read: {error}") from error
    return f"{tensors} tensors, {path.stat().st_size / 1e6:.1f} MB"

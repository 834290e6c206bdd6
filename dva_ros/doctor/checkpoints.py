"""Compares checkpoints with the configured cell."""

from __future__ import annotations

from pathlib import Path

from dva_ros.errors import UserError
from dva_ros.resources import model_path, share_root
from dva_ros.spec import EMBEDDED_CELL, CellSpec
from dva_ros.trained_spec import CONFIG_FILE, trained_spec

from .check import Check, Section, Status

WEIGHTS_FILE = "model.safetensors"
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
    checks = (checkpoint_check(str(one.relative_to(root)), str(one), cell) for one in folders)
    return Section(title, tuple(checks))


def checkpoint_check(name: str, checkpoint: str, cell: CellSpec, remedy: str = TRAIN) -> Check:
    """Whether a checkpoint, a folder or its name in models/, is whole and fits the cell."""
    try:
        folder = model_path(checkpoint)
        trained_spec(folder).require_equal(cell, "the checkpoint", "the cell")
        size = _weights(folder)
    except UserError as error:
        return Check(name, Status.MISSING, str(error), PURPOSE, remedy)
    return Check(name, Status.OK, f"fits the cell; {size}", PURPOSE)


def _weights(folder: Path) -> str:
    from safetensors import SafetensorError, safe_open

    path = folder / WEIGHTS_FILE
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = len(list(file.keys()))
    except (OSError, SafetensorError) as error:
        raise UserError(f"{WEIGHTS_FILE} cannot be read: {error}") from error
    return f"{tensors} tensors, {path.stat().st_size / 1e6:.1f} MB"

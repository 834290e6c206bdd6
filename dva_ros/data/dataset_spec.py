"""The cell that a dataset is of: what its folder says, or the embedded cell where it fits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..errors import UserError
from ..spec import EMBEDDED_CELL, CellSpec
from . import lerobot_format as fmt
from .lerobot_reader import DatasetError, read_info, require_fit


def dataset_spec(root: Path) -> CellSpec:
    """The spec that the dataset was written with.

    Datasets that say none are taken for the embedded cell's where joints, cameras and rate are
    its own: LeRobot's `info.json` knows no sizes of the model's pictures.

    Raises:
        DatasetError: no dataset there, what it says cannot be understood, or it says nothing and
            is not of the embedded cell.
    """
    info = read_info(root)
    path = root / fmt.CELL_PATH
    if not path.is_file():
        try:
            require_fit(info, EMBEDDED_CELL, root)
        except DatasetError as error:
            raise DatasetError(
                f"{root} does not say of which cell it is ({fmt.CELL_PATH} is missing), and not "
                f"of the embedded one: {error}. `python -m dva_ros import {root} --params-file "
                "CELL.yaml --output NEW` makes one that says it"
            ) from error
        return EMBEDDED_CELL
    try:
        return CellSpec.from_dict(json.loads(path.read_text()))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} cannot be understood: {error}") from error


def common_spec(roots: Sequence[Path]) -> CellSpec:
    """The spec of all datasets.

    Raises:
        DatasetError: see `dataset_spec`.
        SpecMismatchError: they differ; names the first field and both datasets.
        UserError: there are none.
    """
    if not roots:
        raise UserError("no dataset was given")
    first, *others = roots
    spec = dataset_spec(first)
    for root in others:
        spec.require_equal(dataset_spec(root), str(first), str(root))
    return spec

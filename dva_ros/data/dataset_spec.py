"""The cell spec of a dataset, from its folder; the simulated cell's if the folder has none and
the dataset fits."""

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

    A dataset without a spec belongs to the simulated cell if joints, cameras and rate are equal:
    LeRobot's `info.json` has no sizes of the model's pictures.

    Raises:
        DatasetError: there is no dataset, its spec cannot be parsed, or it has none and does not
            fit the simulated cell.
    """
    info = read_info(root)
    path = root / fmt.CELL_PATH
    if not path.is_file():
        try:
            require_fit(info, EMBEDDED_CELL, root)
        except DatasetError as error:
            raise DatasetError(
                f"{root} has no cell spec ({fmt.CELL_PATH} is missing) and is not a dataset "
                f"of the simulated cell: {error}. `python -m dva_ros import {root} --params-file "
                "CELL.yaml --output NEW` writes a dataset with a spec"
            ) from error
        return EMBEDDED_CELL
    try:
        return CellSpec.from_dict(json.loads(path.read_text()))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} cannot be parsed: {error}") from error


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

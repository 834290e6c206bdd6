"""Saving a video training run so that it goes on exactly where it stopped."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from dva_ros.errors import UserError
from dva_ros.spec import SpecMismatchError
from dva_ros.video.config import VideoModelConfig

STATE_FILE = "training_state.pt"


@dataclass(frozen=True)
class TrainingState:
    """Everything but the data and the options.

    Attributes:
        config: architecture and statistics.
        optimizer: see `Optimizer.state`.
        step: steps done. Windows and noise are drawn from the seed and the step.
        elapsed_s: wall time spent, over all resumed parts.
    """

    config: VideoModelConfig
    optimizer: dict[str, Any]
    step: int
    elapsed_s: float


def save_state(folder: Path, state: TrainingState) -> None:
    """Write atomically: what was there stays whole until the new file is."""
    partial = folder / (STATE_FILE + ".partial")
    content = {**vars(state), "config": state.config.to_dict()}
    try:
        torch.save(content, partial)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"the training state could not be written to {folder}: {error}") from error
    os.replace(partial, folder / STATE_FILE)


def load_state(folder: Path) -> TrainingState:
    """Read what `save_state` wrote.

    Raises:
        UserError: the file is missing or corrupt.
    """
    path = folder / STATE_FILE
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        return TrainingState(
            config=VideoModelConfig.from_dict(content["config"]),
            optimizer=content["optimizer"],
            step=int(content["step"]),
            elapsed_s=float(content["elapsed_s"]),
        )
    except FileNotFoundError as error:
        raise UserError(f"nothing to resume in {folder}: {STATE_FILE} is missing") from error
    except (
        SpecMismatchError,
        UnpicklingError,
        KeyError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        raise UserError(f"{path} cannot be resumed from: {error}") from error

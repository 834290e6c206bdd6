"""A trained model as a folder: ``model.safetensors``, ``config.yaml`` and ``README.md``."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import UserError
from .config import ARCHITECTURE, ArchitectureError, InverseDynamicsConfig
from .model import InverseDynamicsNet
from .statistics import JointStatistics

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.yaml"
CARD_FILE = "README.md"


class CheckpointError(UserError):
    """A checkpoint folder is incomplete, damaged or of another architecture."""


def save_checkpoint(
    folder: Path,
    config: InverseDynamicsConfig,
    statistics: JointStatistics,
    weights: dict[str, Tensor],
    card: str,
) -> None:
    """Write the folder so that no reader ever sees half of it.

    Files of the same folder that are not part of a checkpoint (plots) are kept.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        save_file(
            {k: v.detach().float().contiguous() for k, v in weights.items()},
            temporary / WEIGHTS_FILE,
        )
        values = {
            "architecture": ARCHITECTURE,
            "model": config.to_dict(),
            "statistics": statistics.to_dict(),
        }
        # safetensors writes files that only their owner may read.
        (temporary / WEIGHTS_FILE).chmod(0o644)
        (temporary / CONFIG_FILE).write_text(yaml.safe_dump(values, sort_keys=False))
        (temporary / CARD_FILE).write_text(card)
        folder.mkdir(exist_ok=True)
        for name in (WEIGHTS_FILE, CARD_FILE, CONFIG_FILE):
            os.replace(temporary / name, folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load_checkpoint(
    folder: Path,
) -> tuple[InverseDynamicsConfig, JointStatistics, InverseDynamicsNet]:
    """Read a folder written by `save_checkpoint`.

    Raises:
        CheckpointError: a file is missing or damaged, or a weight has another shape.
        ArchitectureError: the architecture or a field of the config is not understood.
    """
    values = _read_config(folder / CONFIG_FILE)
    if values.get("architecture") != ARCHITECTURE:
        raise ArchitectureError(
            f"{folder / CONFIG_FILE}: architecture is {values.get('architecture')!r}, "
            f"this version reads {ARCHITECTURE!r}; give an inverse dynamics checkpoint"
        )
    try:
        config = InverseDynamicsConfig.from_dict(values["model"])
        statistics = JointStatistics.from_dict(values["statistics"], config.spec)
    except ArchitectureError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG_FILE}: {error}") from error
    net = InverseDynamicsNet(config)
    _load_weights(net, folder / WEIGHTS_FILE)
    return config, statistics, net.eval()


def _read_config(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path} does not exist; give the folder of an inverse dynamics checkpoint, "
            "or train one with `python -m dva_ros train idm`"
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} is not a YAML mapping")
    return values


def _load_weights(net: InverseDynamicsNet, path: Path) -> None:
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    own = net.state_dict()
    for name, value in own.items():
        if name not in weights:
            raise CheckpointError(f"{path}: weight {name} is missing")
        if weights[name].shape != value.shape:
            raise CheckpointError(
                f"{path}: weight {name} has shape {tuple(weights[name].shape)}, "
                f"config.yaml asks for {tuple(value.shape)}"
            )
    surplus = sorted(set(weights) - set(own))
    if surplus:
        raise CheckpointError(f"{path}: weight {surplus[0]} is not part of the architecture")
    net.load_state_dict(weights)

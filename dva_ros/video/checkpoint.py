"""A video checkpoint: a folder with `model.safetensors` and `config.yaml`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dva_ros.errors import UserError
from dva_ros.spec import SpecMismatchError

from .config import VideoModelConfig
from .model import VideoModel

WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.yaml"
KIND = "dva_ros causal video model"
_WIDE_PATCHES = "embedding.wide_patch."
_STEM = "embedding.stem."


class CheckpointError(UserError):
    """A checkpoint cannot be read; the message names the file and the field or tensor."""


def save_checkpoint(
    folder: Path,
    config: VideoModelConfig,
    weights: Mapping[str, Tensor],
    dtype: torch.dtype = torch.bfloat16,
) -> None:
    """Write both files, each of them atomically. `weights` by parameter name."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().to(dtype).contiguous() for name, value in weights.items()}
    partial = folder / (WEIGHTS_FILE + ".partial")
    save_file(tensors, partial)
    os.replace(partial, folder / WEIGHTS_FILE)
    document = yaml.safe_dump({"kind": KIND, "video": config.to_dict()}, sort_keys=False)
    partial = folder / (CONFIG_FILE + ".partial")
    partial.write_text(document)
    os.replace(partial, folder / CONFIG_FILE)


def load_config(folder: Path) -> VideoModelConfig:
    """Read `config.yaml`.

    Raises:
        CheckpointError: the file is missing, unreadable or of another kind of model.
        SpecMismatchError: a field is unknown, missing or impossible.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise CheckpointError(f"no video checkpoint in {folder}: {CONFIG_FILE} is missing")
    try:
        document = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is corrupt: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != KIND:
        kind = document.get("kind") if isinstance(document, dict) else None
        raise CheckpointError(f"{path}: kind is {kind!r}, expected {KIND!r}")
    if not isinstance(document.get("video"), dict):
        raise CheckpointError(f"{path}: the field video is missing")
    return VideoModelConfig.from_dict(document["video"])


def load_model(folder: Path, dtype: torch.dtype) -> VideoModel:
    """Build the model of a checkpoint, in evaluation mode.

    Raises:
        CheckpointError: a file is missing or corrupt.
        SpecMismatchError: the weights are of another architecture; names the first tensor.
    """
    config = load_config(folder)
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise CheckpointError(f"no video checkpoint in {folder}: {WEIGHTS_FILE} is missing")
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is corrupt: {error}") from error
    model = VideoModel(config)
    _require_same_shapes(path, dict(model.named_parameters()), weights)
    model.load_state_dict(weights, strict=True)
    return model.to(dtype).eval().requires_grad_(False)


def warm_start(folder: Path, config: VideoModelConfig) -> VideoModel:
    """A float32 model of `config` that computes what a checkpoint does.

    Wide patches (`patch_margin`) and a stem (`stem_width`) that the checkpoint has not are added,
    and begin as nothing.

    Raises:
        CheckpointError: see `load_model`.
        SpecMismatchError: `config` differs in more than that.
    """
    source = load_model(folder, torch.float32)
    model = VideoModel(config)
    weights = dict(source.named_parameters())
    missing = [_WIDE_PATCHES] if source.config.patch_margin == 0 else []
    missing += [_STEM] if source.config.stem_width == 0 else []
    weights |= {n: p for n, p in model.named_parameters() if n.startswith(tuple(missing))}
    _require_same_shapes(folder / WEIGHTS_FILE, dict(model.named_parameters()), weights)
    model.load_state_dict(weights)
    return model


def _require_same_shapes(
    path: Path, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    for name in sorted(set(expected) | set(found)):
        want = tuple(expected[name].shape) if name in expected else None
        have = tuple(found[name].shape) if name in found else None
        if want != have:
            raise SpecMismatchError(
                f"{path}: tensor {name} has shape {have}, {CONFIG_FILE} describes {want}"
            )

"""Checkpoints: what is saved comes back; what does not fit is refused and named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from tiny import random_batch, random_model, tiny_config

from dva_ros.spec import SpecMismatchError
from dva_ros.video.checkpoint import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    CheckpointError,
    load_config,
    load_model,
    save_checkpoint,
    warm_start,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = tiny_config()
    weights = dict(random_model(config).named_parameters())
    save_checkpoint(tmp_path, config, weights, dtype=torch.float32)
    return tmp_path


def edit(folder: Path, **changes: object) -> None:
    document = yaml.safe_load((folder / CONFIG_FILE).read_text())
    document["video"].update(changes)
    (folder / CONFIG_FILE).write_text(yaml.safe_dump(document))


def test_a_saved_model_predicts_the_same_when_loaded(folder: Path) -> None:
    """Bit for bit in float32, with the same configuration."""
    config = tiny_config()
    batch = random_batch(config, size=1, num_real=5, clip_start=[4])
    with torch.inference_mode():
        expected = random_model(config)(batch)
        found = load_model(folder, torch.float32)(batch)
    assert load_config(folder) == config
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 64}, "tensor blocks.0.mlp.down.weight has shape"),
        ({"depth": 4}, "tensor blocks.3.mlp.down.weight has shape None"),
        ({"colour": 1}, "unknown field of a video model: colour"),
        ({"heads": 5}, "width 32 does not split into 5"),
        ({"state_mean": [0.0]}, "state_mean must hold 3 numbers"),
    ],
)
def test_another_architecture_is_refused_by_name(
    folder: Path, changes: dict[str, object], message: str
) -> None:
    """The message names the field or the first tensor that differs."""
    edit(folder, **changes)
    with pytest.raises(SpecMismatchError, match=message):
        load_model(folder, torch.float32)


def test_a_missing_corrupt_or_foreign_file_is_refused_by_name(folder: Path) -> None:
    """Truncated weights, no weights, no configuration, another kind of model."""
    weights = folder / WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is corrupt"):
        load_model(folder, torch.float32)
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors is missing"):
        load_model(folder, torch.float32)
    (folder / CONFIG_FILE).write_text("kind: something else\n")
    with pytest.raises(CheckpointError, match="kind is 'something else'"):
        load_config(folder)
    (folder / CONFIG_FILE).write_text("kind: [\n")
    with pytest.raises(CheckpointError, match=r"config\.yaml is corrupt"):
        load_config(folder)
    (folder / CONFIG_FILE).unlink()
    with pytest.raises(CheckpointError, match=r"config\.yaml is missing"):
        load_config(folder)


def test_a_missing_field_is_named(folder: Path) -> None:
    """A configuration without joint statistics cannot be guessed."""
    document = yaml.safe_load((folder / CONFIG_FILE).read_text())
    del document["video"]["state_std"]
    (folder / CONFIG_FILE).write_text(yaml.safe_dump(document))
    with pytest.raises(SpecMismatchError, match="the field state_std"):
        load_config(folder)


def test_a_warm_start_adds_what_changes_nothing_yet(tmp_path: Path) -> None:
    """Wide patches and a stem: training goes on from the same function; other differences are
    refused by name."""
    narrow = tiny_config(patch_margin=0, stem_width=0)
    source = random_model(narrow)
    save_checkpoint(tmp_path, narrow, dict(source.named_parameters()), dtype=torch.float32)
    wide = warm_start(tmp_path, tiny_config(patch_margin=8))
    batch = random_batch(narrow, size=1, num_real=5, clip_start=[4])
    torch.testing.assert_close(wide(batch), source(batch))
    added = {name for name, _ in wide.named_parameters()} - set(dict(source.named_parameters()))
    assert {name.split(".")[1] for name in added} == {"wide_patch", "stem"}
    assert all(parameter.requires_grad for parameter in wide.parameters())
    with pytest.raises(SpecMismatchError, match="word"):
        warm_start(tmp_path, tiny_config(patch_margin=8, word_buckets=100))

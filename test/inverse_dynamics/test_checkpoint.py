"""Checkpoint folders: what is written is read back, and what does not fit is refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.torch import load_file, save_file
from synthetic import SMALL, SPEC
from test_decoder import decoder, inputs

from dva_ros.inverse_dynamics.checkpoint import CheckpointError, save_checkpoint
from dva_ros.inverse_dynamics.config import ArchitectureError
from dva_ros.inverse_dynamics.decoder import InverseDynamics
from dva_ros.spec import SpecMismatchError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved checkpoint."""
    model = decoder()
    path = tmp_path / "model"
    save_checkpoint(path, SMALL, model.statistics, dict(model._net.state_dict()), "# A card\n")
    return path


def edit(folder: Path, **changes: object) -> None:
    """Change top-level values of config.yaml; None removes one."""
    path = folder / "config.yaml"
    values = {**yaml.safe_load(path.read_text()), **changes}
    path.write_text(yaml.safe_dump({k: v for k, v in values.items() if v is not None}))


def test_a_loaded_model_decodes_like_the_saved_one(folder: Path) -> None:
    """Weights, config and statistics survive; the card is beside them."""
    saved, loaded = decoder(), InverseDynamics.load(folder)
    loaded._net.low_precision = False
    assert loaded.config == SMALL
    assert np.array_equal(saved.decode(*inputs()), loaded.decode(*inputs()))
    assert (folder / "README.md").read_text() == "# A card\n"


def test_saving_again_keeps_other_files_and_leaves_nothing_behind(folder: Path) -> None:
    """The folder is replaced file by file, without temporary folders."""
    (folder / "plot.png").write_bytes(b"png")
    model = decoder()
    save_checkpoint(folder, SMALL, model.statistics, dict(model._net.state_dict()), "new")
    assert {p.name for p in folder.iterdir()} == {
        "README.md", "config.yaml", "model.safetensors", "plot.png",
    }  # fmt: skip
    assert [p.name for p in folder.parent.iterdir()] == ["model"]


def test_another_cell_is_refused_naming_the_field(folder: Path) -> None:
    """Joint names, cameras and period are compared."""
    model = InverseDynamics.load(folder)
    model.require_spec(SPEC)
    renamed = ("base", *SPEC.joint_names[1:])
    with pytest.raises(SpecMismatchError, match="joint_names differ"):
        model.require_spec(replace(SPEC, joint_names=renamed))
    with pytest.raises(SpecMismatchError, match="frame_period_s differ"):
        model.require_spec(replace(SPEC, frame_period_s=0.05))


def test_a_missing_folder_says_how_to_get_one(tmp_path: Path) -> None:
    """The path and the command are in the message."""
    with pytest.raises(CheckpointError, match=r"nowhere.*train idm"):
        InverseDynamics.load(tmp_path / "nowhere")


def test_another_architecture_is_refused(folder: Path) -> None:
    """Also a config that has an unknown or lacks a known field."""
    edit(folder, architecture="video.v1")
    with pytest.raises(ArchitectureError, match=r"'video.v1'.*'inverse_dynamics.v1'"):
        InverseDynamics.load(folder)
    values = SMALL.to_dict()
    del values["horizon"]
    edit(folder, architecture="inverse_dynamics.v1", model={**values, "speed": 3})
    with pytest.raises(ArchitectureError, match=r"unknown fields \['speed'\].*\['horizon'\]"):
        InverseDynamics.load(folder)


def test_damaged_statistics_are_named(folder: Path) -> None:
    """Absent, of the wrong length, or not positive."""
    statistics = decoder().statistics.to_dict()
    edit(folder, statistics={**statistics, "offset_scale": [0.0] * 14})
    with pytest.raises(CheckpointError, match=r"statistics.offset_scale must be positive"):
        InverseDynamics.load(folder)
    edit(folder, statistics={**statistics, "state_mean": [0.0] * 13})
    with pytest.raises(CheckpointError, match=r"statistics.state_mean must be 14 finite"):
        InverseDynamics.load(folder)
    edit(folder, statistics=None)
    with pytest.raises(CheckpointError, match="statistics"):
        InverseDynamics.load(folder)


def test_weights_that_do_not_fit_are_named(folder: Path) -> None:
    """Missing, superfluous, of another shape, or a truncated file."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    save_file({k: v for k, v in weights.items() if k != "head.weight"}, path)
    with pytest.raises(CheckpointError, match=r"head.weight is missing"):
        InverseDynamics.load(folder)
    save_file({**weights, "head.weight": weights["head.weight"][:-1]}, path)
    with pytest.raises(CheckpointError, match=r"head.weight has shape \(13, 32\)"):
        InverseDynamics.load(folder)
    save_file({**weights, "tail.weight": weights["head.weight"].clone()}, path)
    with pytest.raises(CheckpointError, match=r"tail.weight is not part"):
        InverseDynamics.load(folder)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match=r"model.safetensors cannot be read"):
        InverseDynamics.load(folder)

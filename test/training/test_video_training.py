"""Training of the video model: it learns, stops, goes on and leaves a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from moving_square import moving_squares, small_config
from safetensors.torch import load_file
from short_runs import settings

from dva_ros.errors import UserError
from dva_ros.training.optimizer import OptimizerConfig, orthogonalise
from dva_ros.training.video_loop import VideoJob, train_rank
from dva_ros.training.video_settings import VideoSettings
from dva_ros.training.video_state import STATE_FILE, load_state
from dva_ros.training.video_trainer import VideoTrainer
from dva_ros.video.predictor import VideoPredictor


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def trainer(options: VideoSettings) -> VideoTrainer:
    store = moving_squares()
    return VideoTrainer(small_config(), options, store, store, dtype=torch.float32)


def test_a_small_model_learns_to_predict_a_moving_square(tmp_path: Path) -> None:
    """Held-out error from noise falls well below that of repeating the last frame."""
    options = settings(
        tmp_path, steps=60, batch=4, optimizer=OptimizerConfig(adam_lr=3e-3, ema_decay=0.9)
    )
    learner = VideoTrainer(
        small_config(),
        options,
        moving_squares(episodes=40),
        moving_squares(episodes=8, seed=5),
        dtype=torch.float32,
    )
    for _ in range(60):
        learner.train_step(options.progress(learner.step, 0.0))
    result = learner.validate()
    assert result.by_level[0] < 0.7 * result.copy_last
    names = {path.name for path in tmp_path.iterdir()}
    assert {"loss.png", "contact_sheet.png", "validation.csv", "model.safetensors"} <= names


def test_a_resumed_run_is_the_uninterrupted_run(tmp_path: Path) -> None:
    """Weights, averages and optimiser state are equal bit for bit after 6 = 3 + 3 steps."""
    whole = trainer(settings(tmp_path / "whole"))
    for _ in range(6):
        whole.train_step(0.0)
    (tmp_path / "parts").mkdir()
    first = trainer(settings(tmp_path / "parts"))
    for _ in range(3):
        first.train_step(0.0)
    first.save()
    second = trainer(settings(tmp_path / "parts", resume=True))
    assert second.step == 3
    for _ in range(3):
        second.train_step(0.0)
    for name, value in whole._optimizer.state().items():
        other = second._optimizer.state()[name]
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(other)), name


def test_a_corrupt_or_missing_state_is_refused_by_name(tmp_path: Path) -> None:
    """A half-written file is never left; a damaged one is said to be damaged."""
    with pytest.raises(UserError, match=rf"{STATE_FILE} is missing"):
        load_state(tmp_path)
    (tmp_path / STATE_FILE).write_bytes(b"not a state")
    with pytest.raises(UserError, match="cannot be resumed from"):
        load_state(tmp_path)


def test_the_loop_leaves_metrics_a_state_and_a_checkpoint_that_predicts(tmp_path: Path) -> None:
    """`train_rank` runs to its last step; the predictor loads what it exported."""
    store = moving_squares()
    job = VideoJob(small_config(), settings(tmp_path), store, store)
    from dva_ros.training.data_parallel import Group

    train_rank(Group(), job)
    assert load_state(tmp_path).step == 10
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 2
    predictor = VideoPredictor.load(tmp_path)
    predictor.reset("move the red square")
    predictor.append(store.gather_frames(np.array(0)), store.state[0])
    assert predictor.predict(store.command[:1]).shape == (4, 48, 32, 3)


def test_training_can_start_from_a_checkpoint(tmp_path: Path) -> None:
    """The first weights are those of the checkpoint, to its precision."""
    first = trainer(settings(tmp_path))
    first.train_step(0.0)
    first.export()
    second = trainer(settings(tmp_path / "second", initial=tmp_path))
    weights = second._parameters.named_slices(second._optimizer.master)
    for name, value in load_file(tmp_path / "model.safetensors").items():
        torch.testing.assert_close(weights[name], value.float())
    assert set(weights) - set(first.model.state_dict()) == {
        "readout.norm.gain",
        "readout.out.weight",
        "readout.out.bias",
    }, "the readout is trained beside the model and stays out of the checkpoint"


def test_the_schedule_warms_up_and_falls_over_steps_or_over_time() -> None:
    """A cosine over whichever length was asked for."""
    by_steps = settings(Path(), steps=100)
    by_time = replace(by_steps, steps=None, minutes=2.0)
    assert by_steps.progress(50, 1e9) == 0.5
    assert by_time.progress(10**9, 60.0) == 0.5
    factors = [by_steps.lr_factor(step, by_steps.progress(step, 0)) for step in range(101)]
    assert factors[0] < factors[4]
    assert factors[4:] == sorted(factors[4:], reverse=True)
    assert factors[-1] == pytest.approx(0.02)
    with pytest.raises(ValueError, match="either steps or minutes"):
        replace(by_steps, minutes=2.0)


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 32, 8), (2, 8, 32)])
def test_muon_steps_have_singular_values_near_one(shape: tuple[int, int, int]) -> None:
    """For square, tall and wide matrices of very different scale."""
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 1e-4
    values = torch.linalg.svdvals(orthogonalise(matrices))
    assert values.min() > 0.5
    assert values.max() < 1.3

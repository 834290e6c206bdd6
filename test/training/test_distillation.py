"""Distillation: the answer is the teacher's sample, and one step learns to give it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from moving_square import moving_squares, small_config
from short_runs import settings

from dva_ros.training.amortization import SequenceSampler, noised
from dva_ros.training.distillation import distilled
from dva_ros.training.optimizer import OptimizerConfig
from dva_ros.training.video_trainer import VideoTrainer
from dva_ros.video.checkpoint import load_model
from dva_ros.video.model import VideoModel
from dva_ros.video.patches import to_pixels, unpatchify
from dva_ros.video.predictor import VideoPredictor


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


LONGER: dict[str, object] = {
    "steps": 60,
    "batch": 4,
    "optimizer": OptimizerConfig(adam_lr=3e-3, ema_decay=0.9),
}


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt a little."""
    folder = tmp_path_factory.mktemp("teacher")
    store = moving_squares(episodes=40)
    trainer = VideoTrainer(
        small_config(), settings(folder, **LONGER), store, store, dtype=torch.float32
    )
    for step in range(60):
        trainer.train_step(step / 60)
    trainer.validate()
    return folder


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_the_answer_is_what_the_teachers_sampler_gives_from_the_same_noise(
    teacher_folder: Path, monkeypatch: pytest.MonkeyPatch, temperature: float
) -> None:
    """Held to the predictor that the robot runs: cached, one clip at a time. The student begins
    with noise of the teacher's temperature, too."""
    teacher = load_model(teacher_folder, torch.float32)
    teacher.config = replace(teacher.config, temperature=temperature)
    store = moving_squares()
    sequence = SequenceSampler(store, teacher.config, 8, 8).sample(np.random.default_rng(0), 1)
    level = torch.zeros(sequence.usable.shape[:2])
    generator = torch.Generator().manual_seed(0)
    batch = noised(sequence, teacher.config, generator, torch.float32, level)
    answered = distilled(batch, teacher, 3)
    target, noise = answered.target[0, 0], answered.clips.noisy[0, 0]
    torch.testing.assert_close(noise, temperature * batch.clips.noisy[0, 0])

    predictor = VideoPredictor(teacher, num_steps=3)
    monkeypatch.setattr("dva_ros.video.predictor.clip_noise", lambda *_: noise)
    clips, mean, std = batch.clips, np.array([0.5, 0.5, 0]), np.array([0.3, 0.3, 1])
    monkeypatch.setattr("dva_ros.video.predictor.hash_words", lambda *_: clips.words[0].numpy())
    predictor.reset("")
    for n in range(int(clips.clip_start[0]) + 1):
        frame = unpatchify(sequence.patches[0, n].numpy(), 48, 32, teacher.config.patch)
        predictor.append(frame, clips.state[0, n].numpy() * std + mean)
    count = int(clips.count[0, 0])
    clip = predictor.predict(clips.committed[0, 0, :count].numpy() * std + mean)
    pixels = unpatchify(to_pixels(target).numpy(), 48, 32, teacher.config.patch)
    assert np.abs(clip.astype(int) - pixels.astype(int)).max() <= 1


def test_one_step_learns_to_give_the_teachers_sample(teacher_folder: Path, tmp_path: Path) -> None:
    """On held-out noise and windows its error halves at least."""
    teacher = load_model(teacher_folder, torch.float32)
    store = moving_squares(episodes=40)
    options = settings(tmp_path, initial=teacher_folder, distill_steps=8, **LONGER)
    student = VideoTrainer(teacher.config, options, store, store, dtype=torch.float32)
    before = _distance(teacher, teacher)
    for step in range(60):
        student.train_step(step / 60)
    student.validate()
    after = _distance(load_model(tmp_path, torch.float32), teacher)
    assert after < 0.5 * before


def _distance(student: VideoModel, teacher: VideoModel) -> float:
    """Mean squared difference of the student's one step to eight of the teacher."""
    held_out = SequenceSampler(moving_squares(episodes=8, seed=5), teacher.config, 8, 2)
    sequence = held_out.sample(np.random.default_rng(1), 8)
    level = torch.zeros(sequence.usable.shape[:2])
    generator = torch.Generator().manual_seed(2)
    batch = noised(sequence, teacher.config, generator, torch.float32, level)
    with torch.no_grad():
        one_step = student(batch.clips)
    return float((one_step - distilled(batch, teacher, 8).target).square().mean())


def test_a_run_without_a_teacher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs an initial checkpoint"):
        settings(tmp_path, distill_steps=4)

"""The dense video model attends to what the shipped one may see, and to no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from moving_square import moving_squares, small_config
from short_runs import settings
from tiny import random_batch, tiny_config
from torch.utils.flop_counter import FlopCounterMode

from dva_ros.benchmark.dense_video import DenseVideoModel, dense_counterpart
from dva_ros.compute.training_products import TrainingShape, dense_step_operations
from dva_ros.training.optimizer import OptimizerConfig
from dva_ros.training.video_trainer import VideoTrainer
from dva_ros.video.model import VideoModel

CONFIG = tiny_config()


def model() -> DenseVideoModel:
    torch.manual_seed(0)
    built = DenseVideoModel(CONFIG)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return built.eval()


@torch.no_grad()
def test_a_clip_sees_every_token_of_its_window_and_nothing_else() -> None:
    """Other pixels in one patch of one frame: clips change whose window (6 frames, over three
    blocks) it can reach, every token of them; clips before it do not; nor do clips see another."""
    built = DenseVideoModel(replace(CONFIG, depth=1))
    built.load_state_dict(model().state_dict(), strict=False)
    batch = random_batch(CONFIG, 1, 17, [3, 8, 9, 16])
    frames = batch.frames.clone()
    frames[0, 8, 0] += 1
    noisy = batch.noisy.clone()
    noisy[0, 2] += 1
    before = built.clip_tokens(batch)
    after = built.clip_tokens(replace(batch, frames=frames))
    moved = (after - before).abs().amax(-1)[0]
    assert moved[0].max() == 0 and moved[3].max() == 0
    assert moved[1].min() > 0 and moved[2].min() > 0
    moved = (built.clip_tokens(replace(batch, noisy=noisy)) - before).abs().amax(-1)[0]
    assert moved[[0, 1, 3]].max() == 0 and moved[2].min() > 0


def test_a_frame_attends_as_plain_softmax_attention_does() -> None:
    """One block, one real frame and one clip of it, in float64: held to softmax over the pinned
    tokens, the frame's and the clip's, written down at once."""
    built = DenseVideoModel(replace(CONFIG, depth=1)).double()
    attention = built.blocks[0].temporal
    torch.nn.init.normal_(attention.out.weight)
    batch = random_batch(CONFIG, 1, 1, [0])
    batch = type(batch)(
        **{n: v.double() if v.is_floating_point() else v for n, v in vars(batch).items()}
    )
    given: list[torch.Tensor] = []
    attention.norm.register_forward_hook(lambda module, args, out: given.append(args[0]))
    with torch.no_grad():
        found = built.clip_tokens(batch)
        x, slots = given[0], CONFIG.num_slots
        q, k, v = (t[0, 0] for t in attention.project(x))
        index = torch.tensor([0, 0, 1, 2, 3, 4]).repeat_interleave(slots)
        tables = built.rope.tables(index)
        rotated_q, rotated_k = built.rope.rotate(q, tables), built.rope.rotate(k, tables)
        clip = slice(2 * slots, None)
        scores = torch.cat(
            (q[:, clip] @ k[:, :slots].mT, rotated_q[:, clip] @ rotated_k[:, slots:].mT), -1
        )
        mixed = (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)
        y = x[0, clip, 0] + attention.out(mixed)
        expected = y + built.blocks[0].mlp(y)
    torch.testing.assert_close(found.reshape(expected.shape), expected)


def test_operations_and_parameters_of_both_can_be_held_against_each_other() -> None:
    """A step is counted as torch counts it; the counterpart has as many parameters to 3 %."""
    batch = random_batch(CONFIG, 2, 10, [1, 4, 9])
    with FlopCounterMode(display=False) as counter:
        model().train()(batch).sum().backward()
    shape = TrainingShape(2, 10, [1, 4, 9], count_masked=True)
    assert dense_step_operations(CONFIG, shape) == counter.get_total_flops()
    config = tiny_config(width=192, depth=6, heads=6)
    shipped, dense = (
        sum(p.numel() for p in built.parameters())
        for built in (VideoModel(config), DenseVideoModel(dense_counterpart(config)))
    )
    assert abs(dense / shipped - 1) < 0.03


def test_the_dense_model_is_trained_as_the_shipped_one_is(tmp_path: Path) -> None:
    """Through the same trainer: its held-out error from noise falls below that of a copy of the
    last frame."""
    store = moving_squares(episodes=40)
    options = settings(
        tmp_path, batch=4, optimizer=OptimizerConfig(adam_lr=3e-3, ema_decay=0.9), steps=40
    )
    trainer = VideoTrainer(
        small_config(), options, store, store, dtype=torch.float32, build=DenseVideoModel
    )
    for step in range(40):
        trainer.train_step(step / 40)
    result = trainer.measure()
    assert result.by_level[0] < 0.95 * result.copy_last

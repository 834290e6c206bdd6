"""What training prints of its own speed, and the data path that runs ahead."""

from __future__ import annotations

import time
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from moving_square import moving_squares, small_config
from short_runs import settings

from dva_ros.training.amortization import TrainingBatch
from dva_ros.training.data_parallel import Group
from dva_ros.training.feed import Feed
from dva_ros.training.utilisation import Utilisation
from dva_ros.training.video_loop import VideoJob, train_rank
from dva_ros.training.video_trainer import VideoTrainer


def test_a_feed_that_runs_ahead_gives_the_same_batches(tmp_path: Path) -> None:
    """Step by step, and after a jump to another step."""
    store = moving_squares()
    trainer = VideoTrainer(small_config(), settings(tmp_path), store, store)
    ahead, plain = Feed(trainer._draw, ahead=True), Feed(trainer._draw, ahead=False)
    for step in (0, 1, 2, 7, 8):
        one, other = ahead.take(step), plain.take(step)
        assert torch.equal(one.target, other.target)
        for field in fields(one.clips):
            assert torch.equal(getattr(one.clips, field.name), getattr(other.clips, field.name))


@pytest.mark.parametrize("ahead", [False, True])
def test_waiting_is_what_the_trainer_waited(ahead: bool) -> None:
    """Batches that take 30 ms, steps of 90 ms: every batch is waited for, or only the first."""

    def draw(step: int) -> TrainingBatch:
        time.sleep(0.03)
        return None  # type: ignore[return-value]

    feed = Feed(draw, ahead)
    for step in range(6):
        feed.take(step)
        time.sleep(0.09)
    assert (feed.waited_s > 6 * 0.03) != ahead
    assert feed.waited_s > 0.03


def test_what_the_draw_raises_reaches_the_trainer() -> None:
    """Also from the thread that runs ahead."""

    def draw(step: int) -> TrainingBatch:
        if step == 1:
            raise RuntimeError("no batch")
        return None  # type: ignore[return-value]

    feed = Feed(draw, ahead=True)
    feed.take(0)
    with pytest.raises(RuntimeError, match="no batch"):
        feed.take(1)


def test_utilisation_is_operations_a_second_over_the_ceiling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four steps of 1 GFLOP in 2 s, ceiling 10 GFLOP/s: a fifth; 0.5 s of waiting: a quarter."""
    monkeypatch.setattr("dva_ros.training.utilisation.matrix_gflop_s", lambda *_: 10.0)
    now = iter((0.0, 0.5, 10.0, 10.5, 20.0, 20.5, 30.0, 30.5))
    monkeypatch.setattr("dva_ros.training.utilisation.time.perf_counter", lambda: next(now))
    used = Utilisation(1e9, torch.float32, "cpu")
    assert used.of_ceiling == used.waiting(1.0) == 0.0
    for _ in range(4):
        with used.step():
            pass
    assert used.of_ceiling == pytest.approx(0.2)
    assert used.waiting(0.5) == pytest.approx(0.25)


def test_training_prints_its_utilisation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured: something of the ceiling, and something of the time waited."""
    store = moving_squares()
    train_rank(Group(), VideoJob(small_config(), settings(tmp_path, steps=3), store, store))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "utilisation" in line]
    percent = int(line.split("utilisation ")[1].split("%")[0])
    waited = float(line.split("waiting ")[1].split("%")[0])
    assert 0 < percent <= 100
    assert 0 < waited < 100

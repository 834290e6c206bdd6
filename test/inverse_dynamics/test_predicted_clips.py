"""Clips imagined by a (tiny, untrained) video model, kept on disk and mixed into training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import SMALL, SPEC, synthetic_store

from dva_ros.data.store import EpisodeStore
from dva_ros.errors import UserError
from dva_ros.inverse_dynamics.decoder import InverseDynamics
from dva_ros.training.idm_measure import imagined_accuracy, real_accuracy
from dva_ros.training.predicted_clips import PredictedClips, imagine
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.model import VideoModel
from dva_ros.video.predictor import VideoPredictor


@pytest.fixture(scope="module")
def predictor() -> VideoPredictor:
    """A tiny video model with random weights, one denoising step."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = VideoModelConfig(
        SPEC, (0.0,) * 14, (1.0,) * 14, width=32, depth=1, heads=2, num_steps=1
    )
    return VideoPredictor(VideoModel(config))


def generate(
    folder: Path, predictor: VideoPredictor, store: EpisodeStore, **source: str
) -> PredictedClips:
    """Ten clips."""
    return PredictedClips.generate(folder, predictor, source, store, 8, 4, 10, 0)


def test_clips_begin_inside_episodes_and_are_made_once(
    tmp_path: Path, predictor: VideoPredictor
) -> None:
    """A second call takes what lies there; another source makes new ones."""
    store = synthetic_store(episodes=3)
    first = generate(tmp_path, predictor, store, checkpoint="a")
    assert first.clips.shape == (10, 8, 80, 64, 3)
    assert first.clips.dtype == np.uint8
    position = (first.anchors[:, None] - store.starts).astype(float)
    position[position < 0] = np.inf
    assert (position.min(axis=1) < 30 - 8).all()
    stamp = (tmp_path / "clips.npy").stat().st_mtime_ns
    again = generate(tmp_path, predictor, store, checkpoint="a")
    assert (tmp_path / "clips.npy").stat().st_mtime_ns == stamp
    assert np.array_equal(first.anchors, again.anchors)
    generate(tmp_path, predictor, store, checkpoint="b")
    assert (tmp_path / "clips.npy").stat().st_mtime_ns != stamp


def test_random_motion_alone_cannot_be_imagined(tmp_path: Path, predictor: VideoPredictor) -> None:
    """The video model was not trained on it; said instead of looping forever."""
    made = synthetic_store(episodes=2)
    frames = made.gather_frames(np.arange(60))
    store = EpisodeStore.from_arrays(
        SPEC, frames, made.state, made.command, made.clean, [30, 30], ["", ""],
        ["random_motion"] * 2,
    )  # fmt: skip
    with pytest.raises(UserError, match="no episode of the data is of a task"):
        generate(tmp_path, predictor, store)


def test_both_kinds_of_clips_are_measured(predictor: VideoPredictor) -> None:
    """Real and imagined clips are decoded by the same model; at most `count` of them."""
    from test_decoder import decoder

    model: InverseDynamics = decoder(SMALL)
    store = synthetic_store(episodes=2)
    assert real_accuracy(model, store, 5, None).windows == 5
    imagined = imagined_accuracy(model, predictor, store, 4, 3, seed=0, effectors=None)
    assert imagined.windows == 4


def test_an_injected_disturbance_is_imagined_only_where_it_was_committed(
    predictor: VideoPredictor,
) -> None:
    """Else the recorded commands would be a wrong answer to the imagined clip."""
    made = synthetic_store(episodes=1)
    clean = np.ones(30, dtype=bool)
    clean[14] = False
    store = EpisodeStore.from_arrays(
        SPEC, made.gather_frames(np.arange(30)), made.state, made.command, clean, [30], ["move"]
    )
    committed = 3
    anchors = [
        n
        for seed in range(4)
        for n, _ in imagine(predictor, store, 8, (committed,) * 2, np.random.default_rng(seed))
    ]
    assert anchors
    assert all(n + committed >= 14 or n + 8 < 14 for n in anchors)

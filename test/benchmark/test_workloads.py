"""What the benchmark times is what the nodes run."""

from __future__ import annotations

import numpy as np
import torch
from tiny import random_model, tiny_config

from dva_ros.benchmark.allocations import allocated_bytes
from dva_ros.benchmark.references import GATHER, DenseReference, WithoutCache, references
from dva_ros.benchmark.workloads import VideoSessions
from dva_ros.video.predictor import VideoPredictor

CONFIG = tiny_config()


def test_a_timed_prediction_is_the_predictors_own() -> None:
    """Same context, same frame, same noise: the same clip, appended frame included."""
    model = random_model(CONFIG)
    sessions = VideoSessions(model, context=6, batch=1, num_steps=3)
    predictor = VideoPredictor(model, num_steps=3, context_frames=6)
    state = np.asarray(CONFIG.state_mean, dtype=np.float32)
    for _ in range(6):
        predictor.append(sessions._mosaics[0], state)
    for own, timed in zip(predictor._cache.storage(), sessions.cache.storage(), strict=True):
        own.copy_(timed)
    predictor.append(sessions._mosaics[0], state)
    assert predictor.num_frames == sessions.cache.count == 7
    committed = np.tile(state, (CONFIG.typical_committed, 1))
    np.testing.assert_array_equal(sessions.predict()[0], predictor.predict(committed))


def test_a_batch_predicts_a_clip_for_every_session() -> None:
    """Their noise differs, and so do their clips; a step keeps the shape of the noise."""
    sessions = VideoSessions(random_model(CONFIG), context=5, batch=3, num_steps=2)
    clips = sessions.predict()
    assert clips.shape == (3, CONFIG.horizon, 48, 32, 3)
    assert not np.array_equal(clips[0], clips[1])
    assert sessions.denoise().shape == (3, CONFIG.horizon, 6, 768)


def test_references_have_the_shape_of_the_model() -> None:
    """Tokens of the clip, all of them, from a full context; the model itself without a cache."""
    model = random_model(CONFIG)
    dense = DenseReference(GATHER, CONFIG, 5, torch.float32)
    assert dense.append().shape == (1, CONFIG.num_slots, CONFIG.width)
    assert dense.denoise().shape == (1, CONFIG.horizon * CONFIG.num_slots, CONFIG.width)
    assert WithoutCache(model, 5).denoise().shape == (1, 1, CONFIG.horizon, 6, 768)
    assert {(r.name, r.what) for r in references(model, 5)} == {
        ("no_cache", "denoise_step"),
        ("dense_concatenating", "append"),
        ("dense_concatenating", "denoise_step"),
        ("dense_gather", "append"),
        ("dense_gather", "denoise_step"),
    }


def test_allocations_are_those_of_one_call() -> None:
    """Two tensors of 4 kB, one of them freed at once; in place nothing."""
    tensor = torch.zeros(1000)
    with torch.inference_mode():
        assert allocated_bytes(lambda: (tensor + tensor) + tensor) == 2 * 4000
        assert allocated_bytes(lambda: tensor.zero_()) == 0

"""The predictor: sessions, determinism, bad input, a cache that never moves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import random_frames, random_model, tiny_config

from dva_ros.errors import UserError
from dva_ros.video.predictor import VideoPredictor

CONFIG = tiny_config()
FRAMES = random_frames(CONFIG, 20)
STATE = np.array([0.1, 0.02, 0.3], dtype=np.float32)
COMMITTED = np.zeros((1, 3), dtype=np.float32)


def predictor(seed: int = 0) -> VideoPredictor:
    return VideoPredictor(random_model(CONFIG), seed=seed)


def session(model: VideoPredictor, frames: np.ndarray, instruction: str = "lift") -> np.ndarray:
    model.reset(instruction)
    for frame in frames:
        model.append(frame, STATE)
    return model.predict(COMMITTED)


def test_a_clip_has_the_horizon_and_the_size_of_the_mosaic() -> None:
    """uint8 [H, height, width, 3], for every number of committed frames."""
    model = predictor()
    model.reset("lift")
    assert [model.append(frame, STATE) for frame in FRAMES[:3]] == [0, 1, 2]
    for count in range(CONFIG.max_committed + 1):
        clip = model.predict(np.zeros((count, 3), dtype=np.float32))
        assert clip.shape == (CONFIG.horizon, 48, 32, 3)
        assert clip.dtype == np.uint8


def test_equal_seeds_give_equal_clips_and_other_seeds_others() -> None:
    """Also when asked twice, and in a second session of the same predictor."""
    model = predictor()
    first = session(model, FRAMES[:4])
    np.testing.assert_array_equal(model.predict(COMMITTED), first)
    np.testing.assert_array_equal(session(model, FRAMES[:4]), first)
    np.testing.assert_array_equal(session(predictor(), FRAMES[:4]), first)
    assert not np.array_equal(session(predictor(seed=1), FRAMES[:4]), first)


def test_reset_forgets_the_frames_and_the_instruction() -> None:
    """A new session equals one of a fresh predictor, past a wrapped ring."""
    used = predictor()
    session(used, FRAMES, "another instruction")
    np.testing.assert_array_equal(session(used, FRAMES[:2]), session(predictor(), FRAMES[:2]))
    assert used.num_frames == 2


def test_the_cache_is_never_allocated_again() -> None:
    """Its buffers keep their addresses through appends, wraps and resets."""
    model = predictor()
    before = [tensor.data_ptr() for tensor in model._cache.storage()]
    for _ in range(2):
        session(model, FRAMES)
    assert [tensor.data_ptr() for tensor in model._cache.storage()] == before


def test_committed_commands_and_denoising_steps_change_the_clip() -> None:
    """Both reach the model."""
    model = predictor()
    first = session(model, FRAMES[:3])
    assert not np.array_equal(model.predict(COMMITTED + 1), first)
    assert not np.array_equal(model.predict(COMMITTED, num_steps=1), first)


@pytest.mark.parametrize(
    ("committed", "message"),
    [
        (np.zeros((3, 3), dtype=np.float32), "3 committed frames, the model takes 2"),
        (np.zeros((1, 4), dtype=np.float32), "committed must have shape"),
        (np.full((1, 3), np.nan, dtype=np.float32), "committed holds a value that is not finite"),
    ],
)
def test_bad_commands_are_refused_by_name(committed: np.ndarray, message: str) -> None:
    """Too many, too wide, not a number."""
    model = predictor()
    session(model, FRAMES[:1])
    with pytest.raises(ValueError, match=message):
        model.predict(committed)


def test_bad_frames_and_states_are_refused_by_name() -> None:
    """Wrong size, wrong dtype, not a number; and a prediction before any frame."""
    model = predictor()
    with pytest.raises(RuntimeError, match="at least one appended frame"):
        model.predict(COMMITTED)
    with pytest.raises(ValueError, match="mosaic must be uint8"):
        model.append(FRAMES[0, :-1], STATE)
    with pytest.raises(ValueError, match="mosaic must be uint8"):
        model.append(FRAMES[0].astype(np.float32), STATE)
    with pytest.raises(ValueError, match="state holds a value that is not finite"):
        model.append(FRAMES[0], STATE * np.nan)
    assert model.num_frames == 0


def test_an_instruction_with_too_many_words_is_refused() -> None:
    """It says how many words the model reads."""
    with pytest.raises(UserError, match="has 7 words, the model reads 6"):
        predictor().reset("one two three four five six seven")


def test_predictions_leave_no_gradient_graph() -> None:
    """Inference tensors only: memory does not grow with the session."""
    model = predictor()
    session(model, FRAMES[:2])
    assert model._anchor is not None
    assert not model._anchor.requires_grad
    assert model._anchor.is_inference()
    assert torch.is_grad_enabled()

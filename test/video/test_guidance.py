"""Guided sampling: the weight of the paper, and that it holds a clip to a known one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import random_frames, random_model, tiny_config

from dva_ros.video.guidance import MAX_WEIGHT, Guidance, guidance_weight
from dva_ros.video.predictor import VideoPredictor
from dva_ros.video.sampler import sample_clip

CONFIG = tiny_config()
STATE = np.array([0.1, 0.02, 0.3], dtype=np.float32)
COMMITTED = np.zeros((1, 3), dtype=np.float32)


@pytest.mark.parametrize("level", [0.1, 0.3, 0.5, 0.9])
def test_the_weight_is_that_of_the_paper(level: float) -> None:
    """min(beta, (1 - t) / (t r^2)), r^2 = (1 - t)^2 / (t^2 + (1 - t)^2); beta at pure noise."""
    r_squared = (1 - level) ** 2 / (level**2 + (1 - level) ** 2)
    expected = min(MAX_WEIGHT, (1 - level) / (level * r_squared))
    assert guidance_weight(level) == pytest.approx(expected)
    assert guidance_weight(0.0) == MAX_WEIGHT


def _mean_of_gaussian(noisy: torch.Tensor, level: float) -> torch.Tensor:
    """Exact denoiser of data that is standard normal."""
    return noisy * level / (level**2 + (1 - level) ** 2)


def test_a_flow_is_guided_to_the_known_frames_and_free_beyond() -> None:
    """Data of which the exact denoiser is known: frames of weight 1 land near Y, of 0 stay."""
    noise = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0))
    known = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(1))
    weights = torch.tensor([1.0, 1.0, 0.5, 0.0])
    free = sample_clip(_mean_of_gaussian, noise, 8)
    held = sample_clip(_mean_of_gaussian, noise, 8, Guidance(known, weights))

    def distance(clip: torch.Tensor) -> torch.Tensor:
        return (clip - known).pow(2).mean((1, 2)).sqrt()

    share = distance(held) / distance(free)
    assert (share[:2] < 0.4).all()
    assert share[:2].max() < share[2] < 0.9
    torch.testing.assert_close(held[3], free[3])


def test_a_model_that_knows_one_future_is_not_guided() -> None:
    """Its prediction does not depend on the noise, so nothing can be inpainted through it."""
    answer = torch.zeros(4, 3, 5)

    def certain(noisy: torch.Tensor, level: float) -> torch.Tensor:
        return answer + 0.0 * noisy

    guidance = Guidance(torch.ones(4, 3, 5), torch.ones(4))
    torch.testing.assert_close(sample_clip(certain, torch.randn(4, 3, 5), 4, guidance), answer)


def _predictor() -> VideoPredictor:
    model = VideoPredictor(random_model(CONFIG))
    model.reset("lift")
    for frame in random_frames(CONFIG, 3):
        model.append(frame, STATE)
    return model


def test_the_predictor_answers_with_and_without_a_guide_in_turn() -> None:
    """No weight changes nothing, some do; frames are appended and clips imagined after it."""
    model = _predictor()
    free = model.predict(COMMITTED)
    known = random_frames(CONFIG, CONFIG.horizon, seed=9)
    nothing = model.predict(COMMITTED, guide=(known, np.zeros(CONFIG.horizon, np.float32)))
    np.testing.assert_allclose(nothing.astype(int), free.astype(int), atol=1)
    held = model.predict(COMMITTED, guide=(known, np.ones(CONFIG.horizon, np.float32)))
    assert not np.array_equal(held, free)
    np.testing.assert_array_equal(model.predict(COMMITTED), free)
    model.append(known[0], STATE)
    assert model.predict(COMMITTED).shape == free.shape


def test_a_guide_of_another_shape_is_refused_by_name() -> None:
    """Too few frames, too few weights."""
    model, horizon = _predictor(), CONFIG.horizon
    known = random_frames(CONFIG, horizon)
    for clip, count in ((known[:-1], horizon), (known, horizon - 1)):
        with pytest.raises(ValueError, match="a guide is uint8"):
            model.predict(COMMITTED, guide=(clip, np.ones(count, np.float32)))

"""Patches, instructions, noise and the sampler."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import SPEC, tiny_config

from dva_ros.spec import CameraSpec
from dva_ros.video.embedding import WidePatches
from dva_ros.video.instruction import hash_words
from dva_ros.video.noise import add_noise, clip_noise, sample_levels, velocity_weight
from dva_ros.video.patches import patchify, to_pixels, to_signal, unpatchify
from dva_ros.video.sampler import sample_clip, sampling_levels
from dva_ros.video.stem import ConvStem


def test_patches_come_back_as_the_same_pixels() -> None:
    """Any leading shape; a patch is one square of the picture, channel by channel."""
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 48, 32, 3), dtype=np.uint8)
    patches = patchify(frames, 16)
    assert patches.shape == (2, 3, 6, 768)
    np.testing.assert_array_equal(
        patches[1, 2, 3].reshape(3, 16, 16), frames[1, 2, 16:32, 16:].transpose(2, 0, 1)
    )
    np.testing.assert_array_equal(unpatchify(patches, 48, 32, 16), frames)


def test_a_wide_patch_sees_its_own_pixels_and_those_around_it() -> None:
    """The window reaches `patch_margin` pixels over every edge; outside the picture it is zero."""
    frame = np.random.default_rng(0).integers(0, 256, (48, 32, 3), dtype=np.uint8)
    wide = WidePatches(tiny_config(patch_margin=8))
    weight = wide.windows.weight.detach().zero_()
    weight[0, 1, 8 + 3, 8 + 5] = 1.0
    weight[1, 2, 0, 31] = 1.0
    patches = torch.from_numpy(patchify(frame, 16)).float()
    seen = wide(patches.expand(2, 3, -1, -1))[1, 2]
    assert seen[3, 0] == frame[16 + 3, 16 + 5, 1]
    assert seen[2, 1] == frame[16 - 8, 0 - 8 + 31, 2]
    assert seen[0, 1] == 0


def test_the_stem_sees_every_patch_and_its_surroundings_alike() -> None:
    """A picture moved by one patch moves the features by one cell, and a cell reads no pixel
    further than 15 beyond its patch."""
    torch.manual_seed(0)
    config = tiny_config(spec=replace(SPEC, cameras=(CameraSpec("overhead", 48, 112),)))
    stem = ConvStem(config)
    torch.nn.init.normal_(stem.layers[-1].weight)
    frames = np.zeros((3, 48, 112, 3), np.float32)
    frames[0, 18:21, 60:63] = frames[1, 18:21, 44:47] = 1.0
    frames[2, 18:21, 60:63] = 1.0
    frames[2, :, 48 + 16 + 15 :] = 0.5
    there, moved, disturbed = stem(torch.from_numpy(patchify(frames, 16))).unflatten(1, (3, 7))
    torch.testing.assert_close(there[1, 2:5], moved[1, 1:4])
    torch.testing.assert_close(there[1, 3], disturbed[1, 3])
    assert not torch.allclose(there[1, 4], disturbed[1, 4])


def test_every_pixel_value_survives_the_signal_range() -> None:
    """0..255 to -1..1 and back; out of range is clamped."""
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_pixels(to_signal(pixels, torch.float32)), pixels)
    assert to_pixels(torch.tensor([-9.0, 9.0])).tolist() == [0, 255]


def test_words_hash_alike_in_any_case_and_in_any_process() -> None:
    """Pinned numbers: a checkpoint's word embeddings depend on them."""
    words = hash_words("Lift the BOX", 512, 5)
    np.testing.assert_array_equal(words, hash_words("lift, the box!", 512, 5))
    np.testing.assert_array_equal(words[3:], 512)
    assert words[:3].tolist() == [12, 486, 58]


def test_noise_levels_lie_toward_noise() -> None:
    """The median level is about 0.1, and few are above a half."""
    levels = sample_levels((10_000,), torch.Generator().manual_seed(0))
    assert float(levels.median()) == pytest.approx(0.1, abs=0.01)
    assert float((levels > 0.5).float().mean()) < 0.1


def test_x_error_with_the_velocity_weight_is_the_velocity_error() -> None:
    """v = (x - noisy) / (1 - level), for the data and for a prediction."""
    clean, noise, guess = (torch.randn(3, 1, 2, 5) for _ in range(3))
    level = torch.tensor([0.0, 0.3, 0.5])
    noisy = add_noise(clean, noise, level)
    remaining = (1 - level)[:, None, None, None]
    velocity_error = ((guess - noisy) / remaining - (clean - noisy) / remaining).square()
    weighted = (guess - clean).square() * velocity_weight(level)[:, None, None, None]
    torch.testing.assert_close(weighted, velocity_error)
    assert velocity_weight(torch.tensor([0.6, 0.99, 1.0])).tolist() == [4.0, 4.0, 4.0]


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_the_sampler_reaches_the_data_when_the_model_knows_it(steps: int) -> None:
    """A perfect x-prediction is reached exactly, on the straight path from the noise."""
    clean, noise = torch.randn(2, 4, 6), torch.randn(2, 4, 6)
    seen: list[float] = []

    def denoise(noisy: torch.Tensor, level: float) -> torch.Tensor:
        seen.append(level)
        torch.testing.assert_close(noisy, torch.lerp(noise, clean, level))
        return clean

    torch.testing.assert_close(sample_clip(denoise, noise, steps), clean)
    assert seen == sampling_levels(steps)
    assert seen[0] == 0.0


def test_no_steps_are_refused() -> None:
    """A sampler needs at least one step."""
    with pytest.raises(ValueError, match="num_steps must be at least 1"):
        sampling_levels(0)


def test_the_temperature_scales_the_noise_that_clips_are_sampled_from() -> None:
    """At 0 every clip begins with the same: nothing is left to chance."""
    full = clip_noise(tiny_config(), seed=3, frames=5)
    assert abs(full.std().item() - 1.0) < 0.05
    torch.testing.assert_close(clip_noise(tiny_config(temperature=0.5), 3, 5), 0.5 * full)
    assert not clip_noise(tiny_config(temperature=0.0), 3, 5).any()
    with pytest.raises(ValueError, match="temperature 2"):
        tiny_config(temperature=2.0)

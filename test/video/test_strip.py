"""The operator's picture never lets an old future look live."""

from __future__ import annotations

import numpy as np

from dva_ros.video.strip import BAR, SCALE, compose_strip

REAL = np.full((8, 60, 3), 90, np.uint8)
CLIP = np.stack([np.full((8, 60, 3), 120 + k, np.uint8) for k in range(4)])


def test_tiles_are_the_real_frame_then_the_chosen_moments() -> None:
    strip = compose_strip(REAL, CLIP, [1, 4], period_s=0.1, age_s=0.2)
    assert strip.shape == (8 * SCALE + BAR, 3 * 60 * SCALE, 3)
    middle = [strip[-4, 60 * SCALE * tile + 10, 0] for tile in range(3)]
    assert middle == [90, 120, 123]


def test_an_old_clip_is_darkened_and_labelled() -> None:
    fresh = compose_strip(REAL, CLIP, [2], period_s=0.1, age_s=0.2)
    stale = compose_strip(REAL, CLIP, [2], period_s=0.1, age_s=3.0)
    assert stale[-4, 10, 0] < fresh[-4, 10, 0] / 2
    label = stale[:BAR].reshape(-1, 3).astype(int)
    assert (label[:, 0] > label[:, 1] + 50).any()

"""What the two settings of the encoder cost: pictures' error, and the size of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from dva_ros.data.video_file import (
    ENCODER_OPTIONS,
    FAST_OPTIONS,
    VideoEncoder,
    stream_frames,
)

FPS = 10.0


def moving_pictures(noise: float) -> list[np.ndarray]:
    """A disc before a coloured ground; `noise` is a sensor's, as its standard deviation."""
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 256, (15, 20, 3), dtype=np.uint8)
    pictures = []
    for number in range(12):
        pixels = cv2.resize(ground, (320, 240), interpolation=cv2.INTER_CUBIC)
        cv2.circle(pixels, (40 + 15 * number, 120), 30, (200, 60, 40), -1)
        noisy = pixels + rng.normal(0.0, noise, pixels.shape)
        pictures.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return pictures


def stored(
    path: Path, pictures: Sequence[np.ndarray], options: Mapping[str, str]
) -> list[np.ndarray]:
    encoder = VideoEncoder(path, FPS, options=options)
    for picture in pictures:
        encoder.add(picture)
    encoder.close()
    return list(stream_frames(path, 0.0, len(pictures), FPS))


def error(pictures: Sequence[np.ndarray], decoded: Sequence[np.ndarray]) -> float:
    """Mean absolute, in steps of 0..255."""
    pairs = zip(pictures, decoded, strict=True)
    return float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs]))


@pytest.mark.parametrize("noise", [0.0, 2.5])
def test_the_fast_setting_loses_no_more_and_its_files_stay_below_twice_the_size(
    noise: float, tmp_path: Path
) -> None:
    pictures = moving_pictures(noise)
    errors, sizes = {}, {}
    for name, options in (("small", ENCODER_OPTIONS), ("fast", FAST_OPTIONS)):
        path = tmp_path / f"{name}.mp4"
        errors[name] = error(pictures, stored(path, pictures, options))
        sizes[name] = path.stat().st_size
    assert errors["fast"] <= errors["small"] < 3.0
    assert sizes["fast"] < 2 * sizes["small"]


def test_a_picture_may_change_once_it_was_added(tmp_path: Path) -> None:
    """The encoder takes it without a copy; also one that cannot be written to, or a part."""
    pictures = moving_pictures(0.0)
    reused = np.empty_like(pictures[0])
    encoder = VideoEncoder(tmp_path / "reused.mp4", FPS)
    for picture in pictures:
        reused[:] = picture
        encoder.add(reused)
    encoder.close()
    decoded = list(stream_frames(tmp_path / "reused.mp4", 0.0, len(pictures), FPS))
    fixed = [np.frombuffer(picture.tobytes(), np.uint8) for picture in pictures]
    shaped = [flat.reshape(pictures[0].shape) for flat in fixed]
    assert all(map(np.array_equal, decoded, stored(tmp_path / "a.mp4", shaped, ENCODER_OPTIONS)))
    wide = [
        np.concatenate([picture, picture], axis=1)[:, : picture.shape[1]] for picture in pictures
    ]
    assert all(map(np.array_equal, decoded, stored(tmp_path / "b.mp4", wide, ENCODER_OPTIONS)))

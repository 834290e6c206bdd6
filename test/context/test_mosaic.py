"""The mosaic of all cameras."""

from __future__ import annotations

import numpy as np
import pytest

from dva_ros.context.mosaic import CameraImageError, compose_mosaic, split_mosaic
from dva_ros.spec import EMBEDDED_CELL


def _images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "overhead": rng.integers(0, 256, (96, 128, 3), dtype=np.uint8),
        "front": rng.integers(0, 256, (64, 128, 3), dtype=np.uint8),
    }


def test_cameras_are_stacked_in_the_order_of_the_spec() -> None:
    images = {
        "front": np.full((64, 128, 3), 200, dtype=np.uint8),
        "overhead": np.full((96, 128, 3), 10, dtype=np.uint8),
    }
    mosaic = compose_mosaic(images, EMBEDDED_CELL)
    assert mosaic.shape == (80, 64, 3)
    assert (mosaic[:48] == 10).all()
    assert (mosaic[48:] == 200).all()


def test_a_pixel_is_the_mean_of_the_area_that_it_covers() -> None:
    images = _images()
    mosaic = compose_mosaic(images, EMBEDDED_CELL)
    mean = images["overhead"].reshape(48, 2, 64, 2, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(mosaic[:48] - mean).max() <= 0.5


def test_split_undoes_the_stacking_of_whole_batches() -> None:
    mosaic = compose_mosaic(_images(), EMBEDDED_CELL)
    parts = split_mosaic(np.stack([mosaic, mosaic]), EMBEDDED_CELL)
    assert {name: part.shape for name, part in parts.items()} == {
        "overhead": (2, 48, 64, 3),
        "front": (2, 32, 64, 3),
    }
    again = compose_mosaic({name: part[1] for name, part in parts.items()}, EMBEDDED_CELL)
    assert np.array_equal(again, mosaic)


def test_split_refuses_another_size() -> None:
    with pytest.raises(ValueError, match="a mosaic is"):
        split_mosaic(np.zeros((64, 64, 3), np.uint8), EMBEDDED_CELL)


def test_a_missing_camera_is_named() -> None:
    images = _images()
    del images["front"]
    with pytest.raises(CameraImageError, match="camera 'front' is missing"):
        compose_mosaic(images, EMBEDDED_CELL)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((96, 128), np.uint8),
        np.zeros((96, 128, 4), np.uint8),
        np.zeros((96, 128, 3), np.float32),
        np.zeros((100, 128, 3), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "aspect", "empty"],
)
def test_an_unusable_picture_names_its_camera(image: np.ndarray) -> None:
    with pytest.raises(CameraImageError, match="camera 'overhead'"):
        compose_mosaic({**_images(), "overhead": image}, EMBEDDED_CELL)

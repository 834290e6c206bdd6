"""What of a camera's picture goes on: rectified by its calibration, cropped."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from dva_ros.context import camera_view
from dva_ros.context.camera_view import Calibration, CameraView
from dva_ros.context.image_decoding import ImageError, Window
from dva_ros.context.picture import RawPicture
from dva_ros.context.ring import Arrival
from dva_ros.context.sources import CameraSource, SourceLimits

HEIGHT, WIDTH = 60, 80
K = (70.0, 0.0, 41.0, 0.0, 72.0, 29.0, 0.0, 0.0, 1.0)
P = (60.0, 0.0, 40.0, 0.0, 0.0, 61.0, 30.0, 0.0, 0.0, 0.0, 1.0, 0.0)
EYE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
PLUMB_BOB = (-0.2, 0.05, 0.001, -0.002, 0.01)
LENSES = {
    "plumb_bob": PLUMB_BOB,
    "rational_polynomial": (*PLUMB_BOB, 0.02, -0.01, 0.003),
    "equidistant": (-0.05, 0.01, -0.003, 0.001),
}


def calibration(model: str = "plumb_bob") -> Calibration:
    return Calibration(HEIGHT, WIDTH, model, LENSES[model], K, EYE, P)


def picture() -> RawPicture:
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return RawPicture.of_rgb(cv2.GaussianBlur(noise, (0, 0), 2.0))


def rectified(window: Window | None, model: str = "plumb_bob") -> np.ndarray:
    view = CameraView(HEIGHT, WIDTH, window, rectify=True)
    view.calibrate(calibration(model))
    return view.see(picture())


@pytest.mark.parametrize("model", list(LENSES))
def test_a_point_of_space_lies_where_the_projection_says(model: str) -> None:
    """Bright points, put where the lens shows them, are found after rectification where P does."""
    rng = np.random.default_rng(3)
    matrix = np.array(K).reshape(3, 3)
    for x, y in rng.uniform((-0.35, -0.28), (0.35, 0.28), (8, 2)):
        point = np.array([[[x, y, 1.0]]])
        project = cv2.fisheye.projectPoints if model == "equidistant" else cv2.projectPoints
        lens = np.array(LENSES[model])
        u, v = project(point, np.zeros((3, 1)), np.zeros((3, 1)), matrix, lens)[0].ravel()
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        spot = 250 * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / 8.0)
        image = np.repeat(spot[..., None], 3, -1).astype(np.uint8)
        view = CameraView(HEIGHT, WIDTH, rectify=True)
        view.calibrate(calibration(model))
        seen = view.see(RawPicture.of_rgb(image))[..., 0].astype(float)
        found = [(seen * grid).sum() / seen.sum() for grid in (columns, rows)]
        assert found == pytest.approx([P[0] * x + P[2], P[5] * y + P[6]], abs=0.25)


def test_rectifying_and_cropping_at_once_is_cropping_the_rectified() -> None:
    window = Window(13, 7, 40, 30)
    assert (rectified(window) == window.cut(rectified(None))).all()


def test_the_maps_are_made_once_for_a_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    maps = camera_view._maps
    monkeypatch.setattr(camera_view, "_maps", lambda c: made.append(c) or maps(c))
    view = CameraView(HEIGHT, WIDTH, rectify=True)
    for _ in range(3):
        view.calibrate(calibration())
    assert len(made) == 1
    view.calibrate(dataclasses.replace(calibration(), d=(-0.1, 0.0, 0.0, 0.0, 0.0)))
    assert len(made) == 2


def test_a_lens_without_distortion_costs_nothing() -> None:
    """No remapping, no copy: the simulated cell's cameras say so of themselves."""
    view = CameraView(HEIGHT, WIDTH, rectify=True)
    projection = (*K[:3], 0.0, *K[3:6], 0.0, *K[6:], 0.0)
    view.calibrate(dataclasses.replace(calibration(), d=(0.0,) * 5, p=projection))
    shown = picture()
    assert np.shares_memory(view.see(shown), shown.data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"height": 30}, "camera_info is for 80x30 pixels, images have 80x60"),
        ({"k": (0.0,) * 9}, "not calibrated"),
        ({"model": "thin_prism"}, "'thin_prism', usable are plumb_bob"),
        ({"d": (0.1, 0.2, 0.3)}, "3 values of plumb_bob"),
        ({"model": "equidistant"}, "5 values of equidistant"),
    ],
)
def test_an_unusable_calibration_says_why(change: dict[str, object], said: str) -> None:
    view = CameraView(HEIGHT, WIDTH, rectify=True)
    with pytest.raises(ImageError, match=said):
        view.calibrate(dataclasses.replace(calibration(), **change))
    assert view.waits_for_calibration


@pytest.mark.parametrize("window", [(70, 0, 20, 10), (0, 55, 8, 8), (-1, 0, 8, 8), (0, 0, 8, 0)])
def test_a_crop_outside_of_the_picture_is_refused(window: tuple[int, int, int, int]) -> None:
    with pytest.raises(ImageError, match="not inside of 80x60"):
        CameraView(HEIGHT, WIDTH, Window(*window))


def test_a_calibration_comes_back_after_one_that_could_not_be_used() -> None:
    """Binning is refused, and the picture with it; the calibration before is good again."""
    source = CameraSource("top", CameraView(HEIGHT, WIDTH, rectify=True), SourceLimits())
    roi = SimpleNamespace(x_offset=0, y_offset=0)
    info = SimpleNamespace(
        height=HEIGHT, width=WIDTH, distortion_model="plumb_bob", d=PLUMB_BOB, k=K, r=EYE, p=P,
        binning_x=0, binning_y=0, roi=roi,
    )  # fmt: skip
    source.calibrate(info)
    assert source.add(1.0, picture(), None, 1.0) is Arrival.ACCEPTED
    source.calibrate(SimpleNamespace(**{**vars(info), "binning_x": 2}))
    assert source.add(1.1, picture(), None, 1.1) is None
    assert "binning" in str(source.problem(1.1))
    source.calibrate(info)
    assert source.add(1.2, picture(), None, 1.2) is Arrival.ACCEPTED

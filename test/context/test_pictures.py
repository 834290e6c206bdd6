"""Pictures that are decoded late give the same frames, and their faults show all the same."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dva_ros.context.alignment import ContextAligner
from dva_ros.context.camera_view import CameraView
from dva_ros.context.frame import ContextFrame
from dva_ros.context.image_decoding import ImageError, Window
from dva_ros.context.picture import CompressedPicture, Picture, RawPicture
from dva_ros.spec import CameraSpec, CellSpec

SPEC = CellSpec(cameras=(CameraSpec("top", 8, 16),), joint_names=("a", "b"))
SIZE = (16, 32)
START = 1000.0
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (60, *SIZE, 3), dtype=np.uint8)


def as_bgr(image: np.ndarray) -> Picture:
    data = np.ascontiguousarray(image[..., ::-1]).tobytes()
    return RawPicture.of("bgr8", *SIZE, 0, data)


def as_png(image: np.ndarray) -> Picture:
    return CompressedPicture.of("png", cv2.imencode(".png", image[..., ::-1])[1].tobytes())


def run(
    aligner: ContextAligner, pictures: list[object], moving: float = 0.0
) -> list[ContextFrame]:
    """A camera at 30 Hz, joints at 100 Hz; gives the frames."""
    aligner.clear("go", START)
    frames, sent = [], 0
    for tick in range(len(pictures) * 10 // 3):
        now = START + 0.01 * tick
        aligner.add_joints(now, SPEC.joint_names, np.full(2, moving * tick), np.zeros(2), now)
        if now >= START + sent / 30 - 1e-9:
            aligner.add_image("top", START + sent / 30, pictures[sent], now)
            sent += 1
        frames += aligner.poll(now)
    return frames


def aligner() -> ContextAligner:
    return ContextAligner(SPEC, {"top": SIZE})


@pytest.mark.parametrize("encode", [as_bgr, as_png])
def test_frames_are_the_same_bit_for_bit_whatever_the_images_come_as(encode: object) -> None:
    expected = run(aligner(), list(IMAGES))
    found = run(aligner(), [encode(image) for image in IMAGES])
    assert len(found) == len(expected) >= 18
    for a, b in zip(found, expected, strict=True):
        assert (a.mosaic == b.mosaic).all()
        assert (a.index, a.stamp, a.camera_age_s, a.good) == (
            b.index,
            b.stamp,
            b.camera_age_s,
            b.good,
        )


def test_only_pictures_that_become_frames_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    decode = CompressedPicture.decode
    monkeypatch.setattr(
        CompressedPicture, "decode", lambda self, w: decoded.append(self) or decode(self, w)
    )
    frames = run(aligner(), [as_png(image) for image in IMAGES])
    assert len(decoded) == len(frames) < len(IMAGES) // 2


def test_a_damaged_picture_is_marked_named_and_repeats_the_last_good_one() -> None:
    pictures = [as_png(image) for image in IMAGES]
    good = np.asarray(pictures[0].data)
    damaged = CompressedPicture("png", *SIZE, np.concatenate([good[:40], good[40:] * 0]))
    source = aligner()
    frames = run(source, [*pictures[:31], *[damaged] * 29])
    bad = [frame for frame in frames if not frame.good]
    assert len(bad) >= 8
    assert (bad[-1].mosaic == [f for f in frames if f.good][-1].mosaic).all()
    assert "damaged" in source.problems(source._now)["top"]


def test_a_compressed_picture_that_stands_while_the_arms_move_is_frozen() -> None:
    source = aligner()
    frames = run(source, [as_png(IMAGES[0]) for _ in IMAGES], moving=0.01)
    assert frames[-1].camera_missing == (True,)
    assert "frozen" in source.problems(source._now)["top"]


def test_a_crop_is_what_the_frame_shows() -> None:
    window = Window(6, 3, 16, 8)
    views = {"top": CameraView(*SIZE, window)}
    frames = run(ContextAligner(SPEC, {"top": SIZE}, views=views), list(IMAGES))
    shown = round((frames[5].stamp - frames[5].camera_age_s[0] - START) * 30)
    assert (frames[5].mosaic == window.cut(IMAGES[shown])).all()


def test_without_the_calibration_that_it_needs_a_camera_gives_nothing_and_says_so() -> None:
    views = {"top": CameraView(*SIZE, rectify=True)}
    source = ContextAligner(SPEC, {"top": SIZE}, views=views)
    assert run(source, list(IMAGES[:9])) == []
    assert "no camera_info yet" in source.problems(START + 0.3)["top"]


@pytest.mark.parametrize(
    "image", [np.zeros((16, 32), np.uint8), np.zeros((16, 32, 3), np.float32)]
)
def test_an_array_that_is_no_rgb_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="not uint8 RGB"):
        RawPicture.of_rgb(image)

"""What of a camera's picture goes on: rectified, cropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from .image_decoding import ImageError, Window
from .picture import Picture

MODELS = ("plumb_bob", "rational_polynomial", "equidistant")
"""Distortion models of ``sensor_msgs/distortion_models.hpp`` that can be undone."""


@dataclass(frozen=True)
class Calibration:
    """The content of a ``sensor_msgs/CameraInfo``.

    Attributes:
        height: rows of the calibrated picture.
        width: columns.
        model: one of `MODELS`; empty where nothing is distorted.
        d: distortion.
        k: intrinsics [9], row-major.
        r: rotation of a stereo pair [9].
        p: projection after rectification [12]; zeros where it is not known.
    """

    height: int
    width: int
    model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]

    @staticmethod
    def of(info: Any) -> Calibration:
        """What a camera_info says of the lens.

        Args:
            info: an object with the message's fields.

        Raises:
            ImageError: it is for a part of the picture, or a smaller one (`roi`, binning).
        """
        roi = info.roi
        if max(info.binning_x, info.binning_y) > 1 or roi.x_offset or roi.y_offset:
            raise ImageError("camera_info with binning or an offset of its roi cannot be used")
        return Calibration(
            info.height,
            info.width,
            info.distortion_model,
            tuple(info.d),
            tuple(info.k),
            tuple(info.r),
            tuple(info.p),
        )


class CameraView:
    """Makes the part that the mosaic shows of every picture of one camera.

    Args:
        height: rows that every picture must have.
        width: columns that every picture must have.
        window: the part that is used, of the rectified picture where it is rectified.
        rectify: undo the lens's distortion; needs `calibrate`.

    Attributes:
        waits_for_calibration: no picture can be used before `calibrate`.

    Raises:
        ImageError: the window is not inside of the picture.
    """

    def __init__(
        self, height: int, width: int, window: Window | None = None, rectify: bool = False
    ) -> None:
        self.height, self.width, self.window = height, width, window
        self.waits_for_calibration = rectify
        self._rectify = rectify
        self._maps: tuple[np.ndarray, np.ndarray] | None = None
        self._calibration: Calibration | None = None
        if window is not None and not (
            min(window.x, window.y) >= 0
            and min(window.width, window.height) > 0
            and window.x + window.width <= width
            and window.y + window.height <= height
        ):
            raise ImageError(
                f"crop of {window.width}x{window.height} at {window.x}, {window.y} is not inside "
                f"of {width}x{height} pixels"
            )

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of what `see` gives."""
        window = self.window
        return (window.height, window.width) if window else (self.height, self.width)

    def calibrate(self, calibration: Calibration) -> None:
        """Rectify by this from now on; the maps are made only where it is another one.

        Raises:
            ImageError: it is for another size, of an unknown model, or empty.
        """
        if not self._rectify or calibration == self._calibration:
            return
        self._calibration = None
        if (calibration.height, calibration.width) != (self.height, self.width):
            raise ImageError(
                f"camera_info is for {calibration.width}x{calibration.height} pixels, images have "
                f"{self.width}x{self.height}"
            )
        maps = _maps(calibration)
        self._maps = None
        if maps is not None:
            window = self.window or Window(0, 0, self.width, self.height)
            cut = [np.ascontiguousarray(window.cut(part)) for part in maps]
            self._maps = (cut[0], cut[1])
        self._calibration = calibration
        self.waits_for_calibration = False

    def forget_calibration(self) -> None:
        """No picture can be used before the next `calibrate`."""
        self._calibration = None
        self.waits_for_calibration = self._rectify

    def see(self, picture: Picture) -> np.ndarray:
        """uint8 RGB [*size, 3]; a view of the picture's data where it is rgb8, not rectified.

        Raises:
            ImageError: it cannot be decoded.
        """
        if self._maps is None:
            return picture.decode(self.window)
        return cv2.remap(picture.decode(None), *self._maps, cv2.INTER_LINEAR)


def _maps(calibration: Calibration) -> tuple[np.ndarray, np.ndarray] | None:
    """OpenCV's fixed-point maps, or None where a picture stays as it is."""
    k, r = (np.array(m, np.float64).reshape(3, 3) for m in (calibration.k, calibration.r))
    p = np.array(calibration.p, np.float64).reshape(3, 4)[:, :3]
    d = np.array(calibration.d, np.float64)
    if k[0, 0] <= 0 or k[1, 1] <= 0:
        raise ImageError("camera_info has no intrinsics: the camera is not calibrated")
    p = p if p[0, 0] > 0 else k
    r = r if r.any() else np.eye(3)
    if not d.any() and np.array_equal(r, np.eye(3)) and np.allclose(p, k):
        return None
    size = (calibration.width, calibration.height)
    if calibration.model == "equidistant":
        if d.size != 4:
            raise ImageError(f"camera_info has {d.size} values of equidistant distortion, not 4")
        return cv2.fisheye.initUndistortRectifyMap(k, d, r, p, size, cv2.CV_16SC2)
    if calibration.model not in MODELS and d.any():
        raise ImageError(
            f"distortion model is '{calibration.model}', usable are {', '.join(MODELS)}"
        )
    if d.size not in (0, 4, 5, 8, 12, 14):
        raise ImageError(f"camera_info has {d.size} values of {calibration.model} distortion")
    return cv2.initUndistortRectifyMap(k, d if d.size else None, r, p, size, cv2.CV_16SC2)

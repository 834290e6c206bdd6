"""How each camera's images come, and what of them goes on: from parameters, live and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from .camera_view import CameraView
from .image_decoding import Window

T = TypeVar("T")

TRANSPORTS = ("raw", "compressed")
COMPRESSED = "/compressed"
"""After the name of a topic: its images as JPEG or PNG."""

NATIVE_HEIGHTS, NATIVE_WIDTHS = (96, 64), (128, 128)
"""Rows and columns of the simulated cell's images, per camera."""

_STAMP_END = 12
"""Bytes of a serialized message up to the end of its header's stamp: encapsulation and time."""


@dataclass(frozen=True)
class CameraTopic:
    """Where a camera's images come.

    Attributes:
        name: of the topic, without /compressed.
        compressed: they come as JPEG or PNG.
    """

    name: str
    compressed: bool = False

    @property
    def images(self) -> str:
        """The topic of its images."""
        return self.name + COMPRESSED if self.compressed else self.name

    @property
    def info(self) -> str:
        """The topic of its camera_info: beside that of its images."""
        return info_beside(self.name)


@dataclass(frozen=True)
class CameraInput:
    """How a camera's images come and what of them goes on.

    Attributes:
        topic: where they come.
        height: rows of every image.
        width: columns.
        window: the part that is used; None for all of it.
        rectify: undo the lens by its camera_info.
    """

    topic: CameraTopic
    height: int
    width: int
    window: Window | None = None
    rectify: bool = False

    def view(self) -> CameraView:
        """A view of its pictures; raises ImageError where the window is not inside of them."""
        return CameraView(self.height, self.width, self.window, self.rectify)


class InfoWatch:
    """Tells which camera_info says something new. One comes with every image, and all are the
    same: so they need not be unpacked."""

    def __init__(self) -> None:
        self._last: dict[str, bytes] = {}

    def is_new(self, source: str, serialized: bytes | memoryview) -> bool:
        """Whether a message differs from its source's last one in more than the stamp."""
        content = serialized[_STAMP_END:]
        if content == self._last.get(source):
            return False
        self._last[source] = bytes(content)
        return True


def info_beside(images: str) -> str:
    """The topic of the camera_info that belongs to images on this topic."""
    return images[: images.rfind("/") + 1] + "camera_info"


def camera_topics(
    cameras: Sequence[str],
    image_topics: Sequence[str] = ("",),
    transports: Sequence[str] = TRANSPORTS[:1],
) -> dict[str, CameraTopic]:
    """The topic of each camera.

    Args:
        cameras: their names.
        image_topics: per camera, without /compressed; empty: ``<camera>/image_raw``.
        transports: one of `TRANSPORTS` per camera, or one for all.

    Raises:
        ValueError: there is another number of them, or no such transport.
    """
    unknown = sorted(set(transports) - set(TRANSPORTS))
    if unknown:
        raise ValueError(
            f"transports has {', '.join(unknown)}; usable are {', '.join(TRANSPORTS)}"
        )
    given = image_topics if any(image_topics) else [""] * len(cameras)
    names = _one_each("image_topics", given, cameras)
    kinds = _for_each("transports", transports, cameras)
    return {
        camera: CameraTopic(name or f"{camera}/image_raw", kind == "compressed")
        for camera, name, kind in zip(cameras, names, kinds, strict=True)
    }


def camera_inputs(
    topics: dict[str, CameraTopic],
    heights: Sequence[int],
    widths: Sequence[int],
    rectify: Sequence[bool] = (False,),
    crop: Sequence[int] = (0, 0, 0, 0),
) -> dict[str, CameraInput]:
    """How each camera's images come and what of them goes on.

    Args:
        topics: of each camera.
        heights: rows of the images, per camera.
        widths: columns, per camera.
        rectify: undo the lens; per camera, or one for all.
        crop: x, y, width, height of the part that is used, width 0 for all of it; per camera,
            or one for all.

    Raises:
        ValueError: something has entries for another number of cameras.
        ImageError: a crop is not inside of its picture.
    """
    if len(crop) % 4:
        raise ValueError(f"crop has {len(crop)} numbers, not four a camera")
    windows = [Window(*crop[at : at + 4]) for at in range(0, len(crop), 4)]
    cameras = list(topics)
    inputs = {
        name: CameraInput(topics[name], height, width, window if window.width else None, undo)
        for name, height, width, window, undo in zip(
            cameras,
            _one_each("native_heights", heights, cameras),
            _one_each("native_widths", widths, cameras),
            _for_each("crop", windows, cameras),
            _for_each("rectify", rectify, cameras),
            strict=True,
        )
    }
    for given in inputs.values():
        given.view()
    return inputs


def _for_each(name: str, row: Sequence[T], cameras: Sequence[str]) -> Sequence[T]:
    """One for all, or one each."""
    return _one_each(name, [*row] * len(cameras) if len(row) == 1 else row, cameras)


def _one_each(name: str, row: Sequence[T], cameras: Sequence[str]) -> Sequence[T]:
    if len(row) != len(cameras):
        raise ValueError(f"{name} has {len(row)} entries for {len(cameras)} cameras")
    return row

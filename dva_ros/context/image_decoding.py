"""Pixels of the encodings that cameras send, as uint8 RGB.

Names and meaning are those of ``sensor_msgs/image_encodings.hpp``; what ``cv_bridge`` knows is
converted to the same values. 16-bit values are scaled (65535 becomes 255).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..errors import UserError

COMPRESSED = ("jpeg", "png")


class ImageError(UserError):
    """A picture cannot be decoded; says why."""


@dataclass(frozen=True)
class Window:
    """A part of a picture, in pixels from its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The part of an array [rows, columns, ...], a view."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]


@dataclass(frozen=True)
class _Layout:
    """How pixels lie in memory, and what makes RGB of them.

    Attributes:
        channels: values a pixel.
        code: OpenCV's conversion to RGB; None where the values are RGB.
        depth: bits a value.
        cell: columns and rows that belong together; conversion at a multiple of it is the same.
        local: a pixel's colour depends on its own cell alone.
        planes: rows in memory for every row of the picture.
    """

    channels: int
    code: int | None
    depth: int = 8
    cell: int = 1
    local: bool = True
    planes: float = 1.0


def _with_depths(name: str, channels: int, code: int | None) -> dict[str, _Layout]:
    return {f"{name}{depth}": _Layout(channels, code, depth) for depth in (8, 16)}


def _bayer(pattern: str, code: int) -> dict[str, _Layout]:
    return {
        f"bayer_{pattern}{depth}": _Layout(1, code, depth, cell=2, local=False)
        for depth in (8, 16)
    }


_UYVY = _Layout(2, cv2.COLOR_YUV2RGB_UYVY, cell=2)
_YUY2 = _Layout(2, cv2.COLOR_YUV2RGB_YUY2, cell=2)

_LAYOUTS: dict[str, _Layout] = {
    **_with_depths("rgb", 3, None),
    **_with_depths("bgr", 3, cv2.COLOR_BGR2RGB),
    **_with_depths("rgba", 4, cv2.COLOR_RGBA2RGB),
    **_with_depths("bgra", 4, cv2.COLOR_BGRA2RGB),
    **_with_depths("mono", 1, cv2.COLOR_GRAY2RGB),
    # Without a meaning of their channels; three and four are blue first, as OpenCV writes them.
    **{f"{depth}UC1": _Layout(1, cv2.COLOR_GRAY2RGB, depth) for depth in (8, 16)},
    **{f"{depth}UC3": _Layout(3, cv2.COLOR_BGR2RGB, depth) for depth in (8, 16)},
    **{f"{depth}UC4": _Layout(4, cv2.COLOR_BGRA2RGB, depth) for depth in (8, 16)},
    # OpenCV's older names are those of the second row's second and third pixel.
    **_bayer("rggb", cv2.COLOR_BayerBG2RGB),
    **_bayer("bggr", cv2.COLOR_BayerRG2RGB),
    **_bayer("gbrg", cv2.COLOR_BayerGR2RGB),
    **_bayer("grbg", cv2.COLOR_BayerGB2RGB),
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUY2,
    "yuyv": _YUY2,
    "nv12": _Layout(1, cv2.COLOR_YUV2RGB_NV12, cell=2, local=False, planes=1.5),
    "nv21": _Layout(1, cv2.COLOR_YUV2RGB_NV21, cell=2, local=False, planes=1.5),
}

ENCODINGS = tuple(_LAYOUTS)
"""What `decode_image` takes."""


def require_decodable(encoding: str, height: int, width: int, step: int, num_bytes: int) -> None:
    """Raise ImageError where `decode_image` cannot make a picture of such data."""
    layout = _LAYOUTS.get(encoding)
    if layout is None:
        raise ImageError(f"encoding is '{encoding}', usable are {', '.join(ENCODINGS)}")
    row = width * layout.channels * layout.depth // 8
    step = step or row
    rows = int(height * layout.planes)
    if min(height, width) < 1 or step < row or num_bytes < step * (rows - 1) + row:
        raise ImageError(
            f"{num_bytes} bytes with step {step} do not hold {width}x{height} pixels of {encoding}"
        )
    if step % (layout.depth // 8):
        raise ImageError(f"step {step} is no whole number of values of {encoding}")
    even = width % layout.cell == 0 and (layout.local or height % layout.cell == 0)
    if not even:
        raise ImageError(f"{width}x{height} pixels of {encoding}: the size must be even")


def decode_image(
    encoding: str,
    height: int,
    width: int,
    step: int,
    data: Any,
    is_bigendian: bool = False,
    window: Window | None = None,
) -> np.ndarray:
    """The pixels of a ``sensor_msgs/Image``.

    Args:
        encoding: one of `ENCODINGS`.
        height: rows.
        width: columns.
        step: bytes from a row to the next; 0 where rows lie close together.
        data: buffer of uint8.
        is_bigendian: byte order of 16-bit values.
        window: the part that is wanted, inside of the picture; the values are those of the whole
            picture's.

    Returns:
        uint8 RGB [height, width, 3], or of the window; a view of `data` for rgb8.

    Raises:
        ImageError: another encoding (names it and those usable), or too few bytes for the size.
    """
    buffer = np.frombuffer(data, np.uint8)
    require_decodable(encoding, height, width, step, buffer.size)
    layout = _LAYOUTS[encoding]
    size = layout.depth // 8
    values = np.ndarray(
        (int(height * layout.planes), width, layout.channels),
        (">" if is_bigendian else "<") + f"u{size}",
        buffer,
        strides=(step or width * layout.channels * size, layout.channels * size, size),
    )
    whole = Window(0, 0, width, height)
    wanted = window or whole
    source = _source(wanted, layout) if layout.local else whole
    image = _to_rgb(source.cut(values) if layout.local else values, layout)
    inner = Window(wanted.x - source.x, wanted.y - source.y, wanted.width, wanted.height)
    return inner.cut(image)


def decode_compressed(format: str, data: Any) -> np.ndarray:
    """The pixels of a ``sensor_msgs/CompressedImage``.

    Args:
        format: of the message: "jpeg" or "png", or image_transport's form with the encoding
            before compression and in the file, e.g. "rgb8; jpeg compressed bgr8".
        data: the file, a buffer of uint8.

    Returns:
        uint8 RGB [height, width, 3].

    Raises:
        ImageError: the data are neither JPEG nor PNG, or damaged.
    """
    compressed_size(format, data)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ImageError(f"compressed image of format '{format}' is damaged")
    before, _, after = format.partition(";")
    layout = _LAYOUTS.get(before.strip())
    if image.ndim == 2:
        bayer = layout is not None and before.startswith("bayer_")
        return _to_rgb(image[..., None], layout if bayer and layout else _LAYOUTS["mono8"])
    # Only "compressed bgr8" says that the file has the true colours: image_transport hands other
    # arrays to the encoder as they are, which takes their first channel for blue.
    if layout is not None and layout.channels >= 3 and "compressed bgr" not in after:
        return np.ascontiguousarray(_eight_bits(image)[..., :3])
    code = cv2.COLOR_BGRA2RGB if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return _eight_bits(cv2.cvtColor(image, code))


def compressed_size(format: str, data: Any) -> tuple[int, int]:
    """Rows and columns of a JPEG or PNG, read from its header.

    Raises:
        ImageError: it is neither, or ends before its size.
    """
    file = memoryview(data).cast("B")
    try:
        if file[:8] == b"\x89PNG\r\n\x1a\n":
            width, height = struct.unpack_from(">II", file, 16)
            return height, width
        if file[:2] == b"\xff\xd8":
            return _jpeg_size(file)
    except (struct.error, IndexError) as error:
        raise ImageError(f"compressed image of format '{format}' ends in its header") from error
    raise ImageError(
        f"format is '{format}' and the data begin with {bytes(file[:4]).hex() or 'nothing'}, "
        f"usable are {', '.join(COMPRESSED)}"
    )


def _jpeg_size(file: memoryview) -> tuple[int, int]:
    """From the frame header: the first marker C0 to CF that is no table."""
    at = 2
    while True:
        if file[at] != 0xFF:
            raise ImageError("JPEG without a frame header")
        marker = file[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", file, at + 5)
            return height, width
        else:
            at += 2 + struct.unpack_from(">H", file, at + 2)[0]


def _source(wanted: Window, layout: _Layout) -> Window:
    """The window with the whole cells that it touches."""
    cell = layout.cell
    left = wanted.x // cell * cell
    right = -(-(wanted.x + wanted.width) // cell) * cell
    return Window(left, wanted.y, right - left, wanted.height)


def _to_rgb(values: np.ndarray, layout: _Layout) -> np.ndarray:
    # OpenCV takes the machine's byte order alone, and grey without a last axis.
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if layout.channels == 1:
        values = values[..., 0]
    if layout.code is None:
        return _eight_bits(values)
    if layout.local:  # converting fewer bits is cheaper; demosaicing rounds, and comes first
        values = _eight_bits(values)
    return _eight_bits(cv2.cvtColor(values, layout.code))


def _eight_bits(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint8:
        return values
    return cv2.convertScaleAbs(values, alpha=255.0 / 65535.0)

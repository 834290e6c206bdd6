"""Pictures as they come from a camera, decoded only where they become a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .image_decoding import (
    ImageError,
    Window,
    compressed_size,
    decode_compressed,
    decode_image,
    require_decodable,
)


class Picture(Protocol):
    """One picture of a camera. A stuck camera sends the same `data` again.

    Attributes:
        height: rows.
        width: columns.
        data: uint8 [bytes], as sent.
    """

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def data(self) -> np.ndarray: ...

    def decode(self, window: Window | None) -> np.ndarray:
        """uint8 RGB [rows, columns, 3] of the window, or of all; raises ImageError."""


@dataclass(frozen=True)
class RawPicture:
    """The content of a ``sensor_msgs/Image``; see `decode_image`."""

    encoding: str
    height: int
    width: int
    step: int
    data: np.ndarray
    is_bigendian: bool = False

    @staticmethod
    def of(
        encoding: str, height: int, width: int, step: int, data: Any, is_bigendian: bool = False
    ) -> RawPicture:
        """Check that it can be decoded; raises ImageError."""
        flat = np.frombuffer(data, np.uint8)
        require_decodable(encoding, height, width, step, flat.size)
        return RawPicture(encoding, height, width, step, flat, is_bigendian)

    @staticmethod
    def of_message(message: Any) -> RawPicture:
        """A view of an object with the fields of the message; raises ImageError."""
        return RawPicture.of(
            message.encoding,
            message.height,
            message.width,
            message.step,
            message.data,
            bool(message.is_bigendian),
        )

    @staticmethod
    def of_rgb(image: np.ndarray) -> RawPicture:
        """Of an array; raises ImageError where it is not uint8 RGB [height, width, 3]."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            shape = "x".join(str(n) for n in image.shape)
            raise ImageError(f"image is {image.dtype} {shape}, not uint8 RGB")
        height, width = image.shape[:2]
        flat = np.ascontiguousarray(image).reshape(-1)
        return RawPicture("rgb8", height, width, 3 * width, flat)

    def decode(self, window: Window | None) -> np.ndarray:
        """uint8 RGB [rows, columns, 3] of the window, or of all; a view for rgb8."""
        return decode_image(
            self.encoding, self.height, self.width, self.step, self.data, self.is_bigendian, window
        )


@dataclass(frozen=True)
class CompressedPicture:
    """The content of a ``sensor_msgs/CompressedImage``; see `decode_compressed`."""

    format: str
    height: int
    width: int
    data: np.ndarray

    @staticmethod
    def of(format: str, data: Any) -> CompressedPicture:
        """Read the size from the file's header; raises ImageError."""
        flat = np.frombuffer(data, np.uint8)
        return CompressedPicture(format, *compressed_size(format, flat), flat)

    @staticmethod
    def of_message(message: Any) -> CompressedPicture:
        """A view of an object with the fields of the message; raises ImageError."""
        return CompressedPicture.of(message.format, message.data)

    def decode(self, window: Window | None) -> np.ndarray:
        """uint8 RGB [rows, columns, 3] of the window, or of all.

        Raises:
            ImageError: the data are damaged.
        """
        image = decode_compressed(self.format, self.data)
        return window.cut(image) if window is not None else image

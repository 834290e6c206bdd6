"""Pixels of a camera's message, whatever its encoding, as RGB."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UserError

_CHANNELS = {"rgb8": (0, 1, 2), "bgr8": (2, 1, 0), "rgba8": (0, 1, 2), "bgra8": (2, 1, 0)}


class ImageDecodingError(UserError):
    """An image cannot be used; says why."""


def decode_image(
    encoding: str, height: int, width: int, step: int, data: Any, is_bigendian: bool = False
) -> np.ndarray:
    """uint8 RGB [height, width, 3]; a view of the data where it is rgb8.

    Args:
        encoding: as in sensor_msgs/Image.
        height: in pixels.
        width: in pixels.
        step: bytes of a row; 0 for rows without padding.
        data: a buffer of bytes.
        is_bigendian: of encodings with more than eight bits.

    Raises:
        ImageDecodingError: another encoding, or fewer bytes than the size says.
    """
    order = _CHANNELS.get(encoding)
    if order is None:
        raise ImageDecodingError(f"encoding is '{encoding}', usable are {', '.join(_CHANNELS)}")
    channels = 4 if "a" in encoding else 3
    flat = np.frombuffer(data, np.uint8)
    step = step or width * channels
    if step < width * channels or flat.size < step * height:
        raise ImageDecodingError(
            f"{flat.size} bytes with step {step} do not hold {width}x{height} pixels of {encoding}"
        )
    rows = flat[: step * height].reshape(height, step)
    pixels = rows[:, : width * channels].reshape(height, width, channels)
    return pixels if order == (0, 1, 2) and channels == 3 else pixels[..., order]

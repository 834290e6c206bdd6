"""The mosaic: all cameras of one grid frame as one small picture."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from ..errors import UserError
from ..spec import CameraSpec, CellSpec


class CameraImageError(UserError):
    """A camera's picture cannot be used; the message names the camera."""


def compose_mosaic(images: Mapping[str, np.ndarray], spec: CellSpec) -> np.ndarray:
    """Resize every camera's picture and stack them from top to bottom.

    Args:
        images: camera name -> uint8 RGB [h, w, 3] at any size of the camera's aspect ratio.
        spec: names, sizes and order of the cameras.

    Returns:
        uint8 RGB [spec.mosaic_height, spec.mosaic_width, 3].

    Raises:
        CameraImageError: a camera is missing, or its picture has another type, number of
            channels or aspect ratio.
    """
    return np.concatenate([_resize(_image_of(camera, images), camera) for camera in spec.cameras])


def split_mosaic(mosaic: np.ndarray, spec: CellSpec) -> dict[str, np.ndarray]:
    """Cut mosaics into cameras.

    Args:
        mosaic: uint8 [..., spec.mosaic_height, spec.mosaic_width, 3].

    Returns:
        camera name -> view [..., camera.height, camera.width, 3].

    Raises:
        ValueError: the mosaic has another size.
    """
    expected = (spec.mosaic_height, spec.mosaic_width, 3)
    if mosaic.shape[-3:] != expected:
        raise ValueError(f"a mosaic is {expected}, got {mosaic.shape[-3:]}")
    parts, top = {}, 0
    for camera in spec.cameras:
        parts[camera.name] = mosaic[..., top : top + camera.height, :, :]
        top += camera.height
    return parts


def require_shape(camera: CameraSpec, height: int, width: int) -> None:
    """Raise CameraImageError where a picture of this size has not the camera's aspect ratio."""
    if height == 0 or height * camera.width != width * camera.height:
        raise CameraImageError(
            f"camera '{camera.name}' gives {width}x{height} pixels, which has not the shape of "
            f"{camera.width}x{camera.height}; set the camera to a multiple of that size, or crop"
        )


def _image_of(camera: CameraSpec, images: Mapping[str, np.ndarray]) -> np.ndarray:
    if camera.name not in images:
        raise CameraImageError(
            f"camera '{camera.name}' is missing; pictures came from: {sorted(images) or 'none'}"
        )
    image = images[camera.name]
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise CameraImageError(
            f"camera '{camera.name}' must give uint8 RGB [height, width, 3], "
            f"got {image.dtype} {list(image.shape)}"
        )
    require_shape(camera, *image.shape[:2])
    return image


def _resize(image: np.ndarray, camera: CameraSpec) -> np.ndarray:
    if image.shape[:2] == (camera.height, camera.width):
        return image
    return cv2.resize(image, (camera.width, camera.height), interpolation=cv2.INTER_AREA)

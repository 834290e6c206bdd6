"""The cameras and joints of the benchmark: what is published, how often."""

from __future__ import annotations

from dataclasses import dataclass

CAMERAS = ("bench_left", "bench_middle", "bench_right")
JOINTS = tuple(f"bench_joint_{n}" for n in range(14))
HEIGHT, WIDTH = 480, 640
RATE_HZ = 30.0
MOSAIC_HEIGHT, MOSAIC_WIDTH = 48, 64
NOISE_IMAGES = 4
"""Different pictures that follow each other; made and serialized before the measurement."""


JPEG = "jpeg"
BYTES_A_PIXEL = {"rgb8": 3, "bgr8": 3, "bayer_rggb8": 1, "yuv422_yuy2": 2, "mono16": 2}
"""Encodings that can be published; any bytes are a picture in them."""
FORMATS = (*BYTES_A_PIXEL, JPEG)


@dataclass(frozen=True)
class CameraLoad:
    """What is published, and what is done with it.

    Attributes:
        seconds: length of the measurement.
        encoding: one of `FORMATS`.
        rectify: every camera has a lens, which `camera_context` undoes.
        warm_up_s: before the measurement; losses count in it, too.
    """

    seconds: float = 30.0
    encoding: str = "rgb8"
    rectify: bool = False
    warm_up_s: float = 3.0


@dataclass(frozen=True)
class Published:
    """What the publisher says at the end.

    Attributes:
        images: sent by each camera.
        ended: stamp of the last one, s.
        late_s: greatest delay of an image behind its time: how busy the machine was.
    """

    images: int
    ended: float
    late_s: float

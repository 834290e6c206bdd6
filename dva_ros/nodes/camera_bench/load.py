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

"""What it costs to store cameras' pictures, and what is lost: settings of the video encoder.

python docs/scripts/video_cost.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from camera_recording import HEIGHT, PICTURES, WIDTH, picture

from dva_ros.data.video_file import (
    ENCODER_OPTIONS,
    FAST_OPTIONS,
    PIXEL_FORMAT,
    VideoEncoder,
    stream_frames,
)

FPS, EVERY = 10.0, 3
NOISE = 2.5
"""Standard deviation of a sensor's noise, in steps of 0..255."""
MODEL_SIZE = (64, 48)
SETTINGS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "veryfast, crf 12 (ENCODER_OPTIONS)": (ENCODER_OPTIONS, PIXEL_FORMAT),
    "veryfast, crf 12, no look-ahead": (
        {**ENCODER_OPTIONS, "x264-params": "rc-lookahead=0:no-mbtree=1"}, PIXEL_FORMAT,
    ),
    "superfast, crf 12": ({**ENCODER_OPTIONS, "preset": "superfast"}, PIXEL_FORMAT),
    "superfast, crf 12, tune fastdecode": (
        {**ENCODER_OPTIONS, "preset": "superfast", "tune": "fastdecode"}, PIXEL_FORMAT,
    ),
    "ultrafast, crf 12": ({**FAST_OPTIONS, "crf": "12"}, PIXEL_FORMAT),
    "ultrafast, crf 15 (FAST_OPTIONS)": (FAST_OPTIONS, PIXEL_FORMAT),
    "veryfast, crf 12, yuv420p": (ENCODER_OPTIONS, "yuv420p"),
    "ultrafast, crf 15, yuv420p": (FAST_OPTIONS, "yuv420p"),
}  # fmt: skip


def main() -> None:
    """Print a table for clean and for noisy pictures."""
    rng = np.random.default_rng(1)
    shape = (HEIGHT, WIDTH, 3)
    numbers = range(0, PICTURES * EVERY, EVERY)
    clean = [picture(number % PICTURES, "rgb8").reshape(shape) for number in numbers]
    noisy = [
        np.clip(one + rng.normal(0.0, NOISE, shape), 0, 255).astype(np.uint8) for one in clean
    ]
    for name, pictures in (("clean", clean), ("noisy", noisy)):
        print(f"{name}: CPU ms to write, to read; KB; mean absolute error, as the model sees it")
        for setting, (options, pixel_format) in SETTINGS.items():
            numbers_of = measure(pictures, options, pixel_format)
            print(f"  {setting:36}", *(f"{number:7.2f}" for number in numbers_of))


def measure(
    pictures: Sequence[np.ndarray], options: Mapping[str, str], pixel_format: str
) -> tuple[float, ...]:
    """A picture's CPU ms to write and to read, KB, and errors in steps of 0..255."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        begun = time.process_time()
        encoder = VideoEncoder(path, FPS, pixel_format, options)
        for one in pictures:
            encoder.add(one)
        encoder.close()
        written = time.process_time()
        decoded = list(stream_frames(path, 0.0, len(pictures), FPS))
        read = time.process_time()
        size = path.stat().st_size
    pairs = list(zip(pictures, decoded, strict=True))
    seen = [(as_model(a), as_model(b)) for a, b in pairs]
    count = len(pictures)
    write_ms, read_ms = 1e3 * (written - begun) / count, 1e3 * (read - written) / count
    return write_ms, read_ms, size / 1e3 / count, error(pairs), error(seen)


def as_model(image: np.ndarray) -> np.ndarray:
    """The picture in the size of the model's."""
    return cv2.resize(image, MODEL_SIZE, interpolation=cv2.INTER_AREA)


def error(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean absolute difference."""
    return float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in pairs]))


if __name__ == "__main__":
    main()

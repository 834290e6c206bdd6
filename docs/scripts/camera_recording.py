"""Writes a recording of three 640x480 cameras at 30 Hz, and its parameters, to measure `import`.

python docs/scripts/camera_recording.py cameras.mcap --seconds 20 --encoding rgb8
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from rosbags.typesys import Stores, get_typestore

from dva_ros.recordings.bag_writer import BagWriter

STORE = get_typestore(Stores.ROS2_JAZZY)
CAMERAS, JOINTS = ("left", "middle", "right"), ("a", "b", "c")
HEIGHT, WIDTH, RATE_HZ, BEGIN_S = 480, 640, 30, 1_700_000_000.0
PICTURES = 90
JPEG = "jpeg"


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--encoding", choices=("rgb8", "bgr8", JPEG), default="rgb8")
    args = parser.parse_args()
    bag = BagWriter(args.path, definition=lambda kind: STORE.generate_msgdef(kind)[0])
    write(bag, "/instruction", 0.0, "std_msgs/msg/String", data="look")
    pictures = [picture(number, args.encoding) for number in range(PICTURES)]
    for tick in range(round(args.seconds * RATE_HZ)):
        now = tick / RATE_HZ
        position, none = np.full(len(JOINTS), np.sin(now)), np.empty(0)
        write(
            bag, "/joint_states", now, "sensor_msgs/msg/JointState", header=header(now),
            name=list(JOINTS), position=position, velocity=none, effort=none,
        )  # fmt: skip
        for camera in CAMERAS:
            image(bag, camera, now, args.encoding, pictures[tick % PICTURES])
    bag.close()
    parameters = {
        "cameras": list(CAMERAS), "mosaic_heights": [48] * 3, "mosaic_width": 64,
        "joints": list(JOINTS), "native_heights": [HEIGHT] * 3, "native_widths": [WIDTH] * 3,
    }  # fmt: skip
    content = {"/**": {"ros__parameters": parameters}}
    args.path.with_suffix(".yaml").write_text(yaml.safe_dump(content))


def picture(number: int, encoding: str) -> np.ndarray:
    """The bytes of one of the moving pictures, uint8."""
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8)
    pixels = cv2.resize(ground, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    x = round(WIDTH * (0.5 + 0.4 * np.sin(2 * np.pi * number / PICTURES)))
    cv2.circle(pixels, (x, HEIGHT // 2), 60, (200, 60, 40), -1)
    return cv2.imencode(".jpg", pixels)[1].ravel() if encoding == JPEG else pixels.ravel()


def image(bag: BagWriter, camera: str, now: float, encoding: str, data: np.ndarray) -> None:
    """Write one image."""
    if encoding == JPEG:
        kind = "sensor_msgs/msg/CompressedImage"
        topic = f"/{camera}/image_raw/compressed"
        write(bag, topic, now, kind, header=header(now), format="jpeg", data=data)
        return
    write(
        bag, f"/{camera}/image_raw", now, "sensor_msgs/msg/Image", header=header(now),
        height=HEIGHT, width=WIDTH, encoding=encoding, is_bigendian=0, step=3 * WIDTH, data=data,
    )  # fmt: skip


def header(now: float) -> Any:
    """A header with this stamp."""
    stamp = divmod(round((BEGIN_S + now) * 1e9), 10**9)
    time = STORE.types["builtin_interfaces/msg/Time"](*stamp)
    return STORE.types["std_msgs/msg/Header"](stamp=time, frame_id="")


def write(bag: BagWriter, topic: str, now: float, kind: str, **values: Any) -> None:
    """Write one message."""
    bag.open_topic(topic, kind)
    data = bytes(STORE.serialize_cdr(STORE.types[kind](**values), kind))
    bag.write(topic, data, round((BEGIN_S + now + 0.005) * 1e9))


if __name__ == "__main__":
    main()

"""CPU time of the four messages from a context frame to a chunk, in Python, without the wire.

``python docs/scripts/message_timing.py`` prints, in microseconds, what it takes to build, to
serialise, to deserialise and to read each message at the size of the simulated cell.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message

from dva_msgs.msg import ActionChunk, PredictedClip
from dva_ros.context.frame import ContextFrame
from dva_ros.leapfrog.messages import Request
from dva_ros.ros.conversions import (
    chunk_from_msg,
    context_frame_from_msg,
    context_frame_to_msg,
    header,
    pixels,
    request_to_msg,
    targets,
)
from dva_ros.spec import EMBEDDED_CELL

HORIZON, REAL, COMMITTED = 8, 2, 3
ROUNDS, CALLS = 9, 50
JOINTS = list(EMBEDDED_CELL.joint_names)
SIZE = (EMBEDDED_CELL.mosaic_height, EMBEDDED_CELL.mosaic_width)
NOTHING = np.zeros(len(JOINTS), np.float32)
CLIP = np.random.default_rng(0).integers(0, 256, (HORIZON, *SIZE, 3), dtype=np.uint8)
CAMERAS = [camera.name for camera in EMBEDDED_CELL.cameras]
ABSENT, AGES = (False,) * len(CAMERAS), (0.0,) * len(CAMERAS)
FRAME = ContextFrame(1, 5, 12.3, CLIP[0], NOTHING, NOTHING, ABSENT, AGES, False, "lift the box")
REQUEST = Request(1, 1, 5, 12.3, np.zeros((COMMITTED, len(JOINTS)), np.float32), NOTHING)


def clip_message() -> PredictedClip:
    """As `video_predictor` makes it."""
    message = PredictedClip(
        header=header(12.3), num_frames=HORIZON, num_real_frames=REAL, joint_names=JOINTS
    )
    message.rgb.frombytes(CLIP)
    message.real_rgb.frombytes(CLIP[:REAL])
    message.position = NOTHING.tolist()
    return message


def chunk_message() -> ActionChunk:
    """As `inverse_dynamics` makes it."""
    message = ActionChunk(header=header(12.3), num_frames=HORIZON, joint_names=JOINTS)
    message.positions = np.zeros(HORIZON * len(JOINTS), np.float32).tolist()
    return message


def read_clip(message: PredictedClip) -> object:
    """As `inverse_dynamics` reads it."""
    return pixels(message.real_rgb, REAL, *SIZE), pixels(message.rgb, HORIZON, *SIZE)


def microseconds(call: Callable[[], object]) -> float:
    """Median CPU time of a call."""
    found = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        for _ in range(CALLS):
            call()
        found.append((time.thread_time() - begun) / CALLS)
    return 1e6 * statistics.median(found[1:])


def main() -> None:
    """Print a row a message."""
    messages: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
        "context frame": (
            lambda: context_frame_to_msg(FRAME, CAMERAS, JOINTS, 0.0),
            context_frame_from_msg,
        ),
        "request": (
            lambda: request_to_msg(REQUEST, JOINTS),
            lambda message: targets(message.committed, len(JOINTS)),
        ),
        "clip": (clip_message, read_clip),
        "chunk": (chunk_message, chunk_from_msg),
    }
    for name, (build, read) in messages.items():
        made = build()
        data = serialize_message(made)
        steps = {
            "build": build,
            "serialise": lambda made=made: serialize_message(made),
            "deserialise": lambda data=data, made=made: deserialize_message(data, type(made)),
            "read": lambda read=read, made=made: read(made),
        }
        row = "  ".join(f"{step} {microseconds(call):5.1f}" for step, call in steps.items())
        print(f"{name:14s} {len(data):7d} bytes  {row}")


if __name__ == "__main__":
    main()

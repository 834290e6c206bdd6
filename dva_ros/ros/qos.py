"""Qualities of service: what may be lost, what must arrive, what a late reader still gets."""

from __future__ import annotations

from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
    qos_profile_sensor_data,
)

SENSOR = qos_profile_sensor_data
"""Subscriptions to joint states: the newest matter, a lost one is noticed."""

IMAGE_IN = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=15,
    reliability=QoSReliabilityPolicy.BEST_EFFORT,
)
"""Subscriptions to images: half a second at 30 Hz may wait while the process cannot run."""


def reliable(depth: int) -> QoSProfile:
    """Every message arrives, up to `depth` waiting."""
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=QoSReliabilityPolicy.RELIABLE,
    )


SENSOR_QUEUE = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=200,
    reliability=QoSReliabilityPolicy.BEST_EFFORT,
)
"""Subscriptions of a recorder: both kinds of publisher match, and all wait while it is busy."""

COMMAND = reliable(1)
"""Requests, clips, chunks and trajectories: only the newest is worth executing."""

IMAGE_OUT = reliable(2)
"""Publishers of images: reliable, so that readers of both kinds match."""

FRAMES = reliable(32)
"""Context frames: none may be lost while a reader is busy for a moment."""

STATE = QoSProfile(
    history=QoSHistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)
"""Status and descriptions: a late reader gets the last one."""

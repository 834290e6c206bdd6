"""Where the cameras' images come, as parameters of the nodes that hear them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..context.camera_input import CameraTopic, camera_topics
from .parameters import parameter


@dataclass(frozen=True)
class CameraTopicParameters:
    """A topic and a transport per camera."""

    image_topics: tuple[str, ...] = parameter(
        ("",), "topic per camera, without /compressed; empty: `<camera>/image_raw`"
    )
    transports: tuple[str, ...] = parameter(
        ("raw",),
        "raw: `<camera>/image_raw`, compressed: `<camera>/image_raw/compressed`; per camera, or "
        "one for all",
    )

    def topics(self, cameras: Sequence[str]) -> dict[str, CameraTopic]:
        """The topic of each camera; ValueError where they do not fit together."""
        return camera_topics(cameras, self.image_topics, self.transports)

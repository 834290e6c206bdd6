"""Selects the cameras among the topics, names them and fits them into a tiled observation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import UserError
from ..spec import CameraSpec
from .findings import ImageTopic

NOT_CAMERAS = re.compile(r"depth|disparity|infra|imagination_display|theora", re.IGNORECASE)
_LAST = ("image_raw", "image_color", "image", "image_rect_color", "image_rect")
"""Ends of topics of one camera; the earlier is taken."""
MOSAIC_WIDTHS = tuple(range(64, 129, 16))
PATCH = 16
"""Side of the video model's patches: the tiled observation is a multiple of it."""
CAMERA_ROWS = 8
"""Inverse dynamics halves every camera's picture three times."""


@dataclass(frozen=True)
class Camera:
    """A camera of the cell.

    Attributes:
        name: what the model knows it by.
        source: its topic.
        window: x, y, width, height of the part of its images that is used; None: all of it.
    """

    name: str
    source: ImageTopic
    window: tuple[int, int, int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that are used; 0 where none are known."""
        if self.window is not None:
            return self.window[3], self.window[2]
        return self.source.height, self.source.width

    @property
    def base_topic(self) -> str:
        """Its topic without the transport."""
        return self.source.topic.removesuffix("/compressed")


def choose_cameras(found: Sequence[ImageTopic], wanted: Mapping[str, str]) -> tuple[Camera, ...]:
    """The cameras among the topics.

    Args:
        found: all topics with images.
        wanted: name -> topic, from the command line, in order; empty: one camera for each topic
            that may be one, in alphabetical order.

    Raises:
        UserError: a wanted topic has no images; names those that have.
    """
    if wanted:
        topics = {image.topic: image for image in found}
        for name, topic in wanted.items():
            if topic not in topics:
                known = ", ".join(topics) or "none"
                raise UserError(
                    f"--camera {name}={topic}: no such image topic; there are: {known}"
                )
        return tuple(Camera(name, topics[topic]) for name, topic in wanted.items())
    best: dict[str, tuple[int, ImageTopic]] = {}
    for image in sorted(found, key=lambda image: image.topic):
        if NOT_CAMERAS.search(image.topic) or re.match(r"(16|32)", image.encoding):
            continue
        base, rank = _base(image)
        if base not in best or rank < best[base][0]:
            best[base] = (rank, image)
    names = camera_names(list(best))
    return tuple(Camera(names[base], image) for base, (_, image) in sorted(best.items()))


def camera_names(bases: Sequence[str]) -> dict[str, str]:
    """A short name for each base of topics: its first part that tells it from the others."""
    split = {base: [part for part in base.split("/") if part] or ["camera"] for base in bases}
    for parts in split.values():
        while len(parts) > 1 and parts[-1] in ("color", "rgb", "left"):
            parts.pop()  # drivers' names of a sensor within a camera
    for length in range(1, max((len(p) for p in split.values()), default=0) + 1):
        names = {base: "_".join(parts[-length:]) for base, parts in split.items()}
        if len(set(names.values())) == len(names):
            return names
    return {base: base.strip("/").replace("/", "_") for base in bases}


def fit_mosaic(cameras: Sequence[Camera]) -> tuple[CameraSpec, ...] | None:
    """The smallest sizes in the cameras' shapes that stack to whole patches, or None."""
    if not cameras or not all(all(camera.size) for camera in cameras):
        return None
    for width in MOSAIC_WIDTHS:
        scaled = [camera.size[0] * width / camera.size[1] for camera in cameras]
        whole = all(height % CAMERA_ROWS == 0 for height in scaled)
        if whole and sum(scaled) % PATCH == 0:
            return tuple(
                CameraSpec(camera.name, int(height), width)
                for camera, height in zip(cameras, scaled, strict=True)
            )
    return None


def cropped(cameras: Sequence[Camera]) -> tuple[Camera, ...]:
    """The cameras with the greatest part of 4:3 in the middle of their images."""
    return tuple(
        replace(camera, window=_middle(*camera.size)) if all(camera.size) else camera
        for camera in cameras
    )


def _middle(height: int, width: int) -> tuple[int, int, int, int]:
    unit = min(height // 6, width // 8)  # even numbers: Bayer and YUV come in pairs
    used_height, used_width = 6 * unit, 8 * unit
    x, y = (width - used_width) // 2, (height - used_height) // 2
    return x - x % 2, y - y % 2, used_width, used_height


def _base(image: ImageTopic) -> tuple[str, int]:
    """What the topics of one camera share, and how far down this one is among them."""
    topic, behind = image.topic, 0
    if image.compressed:
        topic, behind = topic.removesuffix("/compressed"), len(_LAST) + 1
    head, _, last = topic.rpartition("/")
    if last in _LAST:
        return head, _LAST.index(last) + behind
    return topic, len(_LAST) + behind

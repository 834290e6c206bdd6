"""The messages of a bag, decoded and given to a replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..context.image_decoding import ImageError, decode_compressed, decode_image
from ..trajectory import Trajectory, TrajectoryPoint
from .bag import BagFile
from .decoding import Decoder, MessageError
from .marks import Mark
from .replay import Replay
from .settings import CellSettings
from .topic_map import Role, TopicMap


class BagSource:
    """Feeds a replay.

    Args:
        settings: of the cell.
        topics: of the bag that are used.
        replay: takes what they say.
    """

    def __init__(self, settings: CellSettings, topics: TopicMap, replay: Replay) -> None:
        self._topics = topics
        self._replay = replay
        self._decoder = Decoder()
        self._names = lru_cache(maxsize=64)(settings.cell_joints)
        self._handlers: dict[Role, Callable[[str, Any, float], None]] = {
            Role.IMAGE: self._image,
            Role.COMPRESSED_IMAGE: self._compressed_image,
            Role.JOINTS: self._joints,
            Role.STATE: self._state,
            Role.TRAJECTORY: self._trajectory,
            Role.INSTRUCTION: self._instruction,
            Role.MARK: self._mark,
        }

    def feed(self, file: BagFile, progress: Callable[[int], object]) -> None:
        """Read a file to its end, or to where it is damaged.

        Args:
            file: of the bag.
            progress: called with the bytes read so far.
        """
        for message in file.messages():
            known = self._topics.roles.get(message.topic.name)
            if known is None:
                continue
            role, owner = known
            try:
                self._handlers[role](owner, self._decoder.decode(message), message.log_s)
            except (MessageError, ImageError, ValueError) as error:
                name = message.topic.name
                reason = f"not readable as {message.topic.type_name}"
                if isinstance(error, ImageError):
                    reason = str(error)
                self._replay.refuse(f"{name}: {reason}")
            progress(file.position)

    def _image(self, camera: str, message: Any, now: float) -> None:
        image = decode_image(
            message.encoding,
            message.height,
            message.width,
            message.step,
            message.data,
            bool(message.is_bigendian),
        )
        self._replay.image(camera, _stamp(message, now), image, now)

    def _compressed_image(self, camera: str, message: Any, now: float) -> None:
        image = decode_compressed(message.format, message.data)
        self._replay.image(camera, _stamp(message, now), image, now)

    def _joints(self, owner: str, message: Any, now: float) -> None:
        self._replay.joints(
            _stamp(message, now),
            self._names(tuple(message.name)),
            np.asarray(message.position, np.float32),
            np.asarray(message.velocity, np.float32),
            now,
        )

    def _state(self, controller: str, message: Any, now: float) -> None:
        positions = message.output.positions
        if not len(positions):
            positions = message.reference.positions
        names = self._names(tuple(message.joint_names))
        self._replay.command(_stamp(message, now), names, np.asarray(positions, np.float64))

    def _trajectory(self, controller: str, message: Any, now: float) -> None:
        points = tuple(
            TrajectoryPoint(
                positions=_numbers(point.positions),
                velocities=_numbers(point.velocities),
                time_from_start=_seconds(point.time_from_start),
            )
            for point in message.points
        )
        names = self._names(tuple(message.joint_names))
        stamp = _seconds(message.header.stamp)
        self._replay.trajectory(Trajectory(names, points, stamp), now)

    def _instruction(self, owner: str, message: Any, now: float) -> None:
        self._replay.instruction(message.data, now)

    def _mark(self, owner: str, message: Any, now: float) -> None:
        self._replay.mark(Mark.from_json(message.data), now)


def _seconds(time: Any) -> float:
    """As `nodes.conversions.seconds_of`, bit for bit."""
    return float(time.sec) + float(time.nanosec) * 1e-9


def _stamp(message: Any, now: float) -> float:
    """The stamp of a message, or when it came where it has none."""
    return _seconds(message.header.stamp) or now


def _numbers(values: Sequence[float]) -> np.ndarray | None:
    return np.array(values, np.float64) if len(values) else None

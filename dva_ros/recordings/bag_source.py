"""The messages of a bag, decoded and given to a replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from ..context.camera_input import InfoWatch
from ..context.image_decoding import ImageError
from ..context.picture import CompressedPicture, Picture, RawPicture
from ..trajectory import Trajectory, TrajectoryPoint
from .bag_file import BagFile
from .marks import Mark
from .message_decoding import Decoder, MessageError
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
        self._infos = InfoWatch()
        self._handlers: dict[Role, Callable[[Sequence[str], Any, float], None]] = {
            Role.IMAGE: partial(self._image, RawPicture.of_message),
            Role.COMPRESSED_IMAGE: partial(self._image, CompressedPicture.of_message),
            Role.INFO: self._info,
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
            role, cameras = known
            if role is Role.INFO and not self._infos.is_new(message.topic.name, message.data):
                continue
            try:
                self._handlers[role](cameras, self._decoder.decode(message), message.log_s)
            except (MessageError, ImageError, ValueError) as error:
                name = message.topic.name
                reason = f"not readable as {message.topic.type_name}"
                if isinstance(error, ImageError):
                    reason = str(error)
                self._replay.refuse(f"{name}: {reason}")
            progress(file.position)

    def _image(
        self, read: Callable[[Any], Picture], cameras: Sequence[str], message: Any, now: float
    ) -> None:
        picture = read(message)
        for camera in cameras:
            self._replay.image(camera, _stamp(message, now), picture, now)

    def _info(self, cameras: Sequence[str], message: Any, now: float) -> None:
        for camera in cameras:
            self._replay.camera_info(camera, message, now)

    def _joints(self, cameras: Sequence[str], message: Any, now: float) -> None:
        self._replay.joints(
            _stamp(message, now),
            self._names(tuple(message.name)),
            np.asarray(message.position, np.float32),
            np.asarray(message.velocity, np.float32),
            now,
        )

    def _state(self, cameras: Sequence[str], message: Any, now: float) -> None:
        positions = message.output.positions
        if not len(positions):
            positions = message.reference.positions
        names = self._names(tuple(message.joint_names))
        self._replay.command(_stamp(message, now), names, np.asarray(positions, np.float64))

    def _trajectory(self, cameras: Sequence[str], message: Any, now: float) -> None:
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

    def _instruction(self, cameras: Sequence[str], message: Any, now: float) -> None:
        self._replay.instruction(message.data, now)

    def _mark(self, cameras: Sequence[str], message: Any, now: float) -> None:
        self._replay.mark(Mark.from_json(message.data), now)


def _seconds(time: Any) -> float:
    """As `nodes.conversions.seconds_of`, bit for bit."""
    return float(time.sec) + float(time.nanosec) * 1e-9


def _stamp(message: Any, now: float) -> float:
    """The stamp of a message, or when it came where it has none."""
    return _seconds(message.header.stamp) or now


def _numbers(values: Sequence[float]) -> np.ndarray | None:
    return np.array(values, np.float64) if len(values) else None

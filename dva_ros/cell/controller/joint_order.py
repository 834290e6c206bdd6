"""Bringing a message's joints into the controller's order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .message import Message, Waypoint


class JointOrder:
    """The controller's joints, and how a message's columns map to them."""

    def __init__(self, joint_names: tuple[str, ...]) -> None:
        self.joint_names = joint_names
        self._index = {name: index for index, name in enumerate(joint_names)}
        self._scratch = np.zeros(len(joint_names))

    def commanded(self, message: Message) -> np.ndarray:
        """bool [joints]: which of the controller's joints the message names."""
        named = set(message.joint_names)
        return np.array([name in named for name in self.joint_names], dtype=bool)

    def fill_held(self, message: Message, held: np.ndarray) -> None:
        """Append the joints that a partial message omits: held at `held` [joints], at rest."""
        if len(message.joint_names) == len(self.joint_names):
            return
        omitted = ~self.commanded(message)
        still = np.zeros(np.count_nonzero(omitted))
        self.append(
            message,
            omitted,
            [Waypoint(held[omitted], still, still, point.time_ns) for point in message.points],
        )

    def append(self, message: Message, omitted: np.ndarray, columns: Sequence[Waypoint]) -> None:
        """Append the omitted joints' columns, one waypoint of them per point of the message."""
        names = [name for name, absent in zip(self.joint_names, omitted, strict=True) if absent]
        message.joint_names = (*message.joint_names, *names)
        message.points = [
            Waypoint(
                np.concatenate((point.positions, column.positions)),
                _appended(point.velocities, column.velocities),
                _appended(point.accelerations, column.accelerations),
                point.time_ns,
            )
            for point, column in zip(message.points, columns, strict=True)
        ]

    def sort(self, message: Message) -> None:
        """Reorder every point's columns into the controller's order.

        Repeated names are not refused, and the real controller reuses one buffer: a joint that
        is missing for another's repetition gets what the buffer held before. With more names
        than joints the columns stay in the message's order and the first ones are used.
        """
        count = len(self.joint_names)
        if len(message.joint_names) > count:
            message.points = [
                Waypoint(
                    point.positions[:count],
                    None if point.velocities is None else point.velocities[:count],
                    None if point.accelerations is None else point.accelerations[:count],
                    point.time_ns,
                )
                for point in message.points
            ]
        elif message.joint_names != self.joint_names:
            columns = [self._index[name] for name in message.joint_names]
            message.points = [
                Waypoint(
                    self._sorted(point.positions, columns),
                    None if point.velocities is None else self._sorted(point.velocities, columns),
                    None
                    if point.accelerations is None
                    else self._sorted(point.accelerations, columns),
                    point.time_ns,
                )
                for point in message.points
            ]
        elif message.points:
            self._remember(message.points[-1])
        message.joint_names = self.joint_names

    def _sorted(self, values: np.ndarray, columns: list[int]) -> np.ndarray:
        for column, value in zip(columns, values, strict=True):
            self._scratch[column] = value
        ordered = self._scratch.copy()
        ordered.setflags(write=False)
        return ordered

    def _remember(self, last: Waypoint) -> None:
        """Leave in the buffer what reordering an ordered message would have left there."""
        for values in (last.accelerations, last.velocities, last.positions):
            if values is not None:
                self._scratch[:] = values
                return


def _appended(values: np.ndarray | None, column: np.ndarray | None) -> np.ndarray | None:
    if values is None or column is None:
        return None
    return np.concatenate((values, column))

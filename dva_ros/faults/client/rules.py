"""What can go wrong with the messages of a topic: each rule says what comes instead, and when."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from ...ros.conversions import (
    image_from_msg,
    image_to_msg,
    seconds_of,
    stamp_of,
)

Delivery = tuple[float, Any]
"""Seconds from now, and the message that is delivered then."""


class Rule(ABC):
    """Decides what becomes of each message of one topic."""

    @abstractmethod
    def deliveries(self, message: Any) -> list[Delivery]:
        """What is delivered instead of a message."""

    def held_back(self) -> list[Any]:
        """What is delivered when the fault ends."""
        return []


class Lost(Rule):
    """Nothing arrives."""

    def deliveries(self, message: Any) -> list[Delivery]:
        return []


class Stalled(Rule):
    """Nothing arrives until the fault ends, and then all of it at once."""

    def __init__(self) -> None:
        self._held: list[Any] = []

    def deliveries(self, message: Any) -> list[Delivery]:
        self._held.append(message)
        return []

    def held_back(self) -> list[Any]:
        return self._held


class Duplicated(Rule):
    """Every message arrives twice."""

    def deliveries(self, message: Any) -> list[Delivery]:
        return [(0.0, message), (0.0, message)]


class Late(Rule):
    """Every message arrives so much later, s."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s

    def deliveries(self, message: Any) -> list[Delivery]:
        return [(self._delay_s, message)]


class OutOfOrder(Rule):
    """Every other message overtakes the one before it."""

    def __init__(self) -> None:
        self._waiting: Any = None

    def deliveries(self, message: Any) -> list[Delivery]:
        waiting, self._waiting = self._waiting, message
        if waiting is None:
            return []
        self._waiting = None
        return [(0.0, message), (0.0, waiting)]

    def held_back(self) -> list[Any]:
        return [] if self._waiting is None else [self._waiting]


class Changed(Rule):
    """Every message arrives with something else in it."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        """`change` gets a copy of the message and gives what is delivered."""
        self._change = change

    def deliveries(self, message: Any) -> list[Delivery]:
        return [(0.0, self._change(copy.deepcopy(message)))]


class FrozenPicture(Rule):
    """A camera repeats the first picture, with new stamps."""

    def __init__(self) -> None:
        self._picture: Any = None

    def deliveries(self, message: Any) -> list[Delivery]:
        if self._picture is None:
            self._picture = message
        frozen = copy.copy(self._picture)
        frozen.header = message.header
        return [(0.0, frozen)]


class DoubledRate(Rule):
    """Between every two messages comes another one, stamped for its own time."""

    def __init__(self, period_s: float) -> None:
        self._half_s = 0.5 * period_s

    def deliveries(self, message: Any) -> list[Delivery]:
        return [(0.0, message), (self._half_s, restamped(copy.deepcopy(message), self._half_s))]


def restamped(message: Any, by_s: float) -> Any:
    """The message, stamped so much later, s."""
    message.header.stamp = stamp_of(seconds_of(message.header.stamp) + by_s)
    return message


def halved(message: Any) -> Any:
    """An image of half the size."""
    image = image_from_msg(message)[::2, ::2]
    return image_to_msg(image, seconds_of(message.header.stamp), message.header.frame_id)


def with_target(value: float) -> Callable[[Any], Any]:
    """A chunk in which the third joint of every target is this."""

    def change(message: Any) -> Any:
        if message.num_frames:
            targets = np.array(message.positions).reshape(message.num_frames, -1)
            targets[:, 2] = value
            message.positions = targets.ravel().tolist()
        return message

    return change

"""A schedule that a GPU could have: frames as early, and clips as late, as the waits allow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import torch

from dva_ros.video.execution import Done, HostExecution, Lane, Mark, Work

R = TypeVar("R")


class LatestLane:
    """Work runs as late as its marks allow: a schedule that a GPU with other work could have."""

    def __init__(self, obeys: bool) -> None:
        self._obeys, self._waiting = obeys, list[tuple[Work, Sequence[Mark]]]()
        self._begun = 0
        self._running = threading.RLock()

    def submit(self, work: Work, after: Sequence[Mark] = ()) -> Mark:
        self._waiting.append((work, after))
        return _LatestMark(self, self._begun + len(self._waiting))

    def run_to(self, number: int) -> None:
        with self._running:
            while self._begun < number:
                work, after = self._waiting.pop(0)
                self._begun += 1
                for mark in after if self._obeys else ():
                    mark.wait()
                with torch.inference_mode():
                    work()


class _LatestMark:
    def __init__(self, lane: LatestLane, number: int) -> None:
        self._lane, self._number = lane, number

    def wait(self) -> None:
        self._lane.run_to(self._number)


class EagerLane:
    """Work runs when it is submitted, after its marks."""

    def __init__(self, obeys: bool) -> None:
        self._obeys = obeys

    def submit(self, work: Work, after: Sequence[Mark] = ()) -> Mark:
        for mark in after if self._obeys else ():
            mark.wait()
        work()
        return Done()


class FramesOvertakeClips(HostExecution):
    """Frames are encoded at once, and a clip when the test asks for it or a frame has to wait.

    Attributes:
        holds: clips are ready when `finish` says so, else at once.
    """

    def __init__(self, obeys: bool = True, holds: bool = True) -> None:
        super().__init__()
        self.holds = holds
        self._obeys, self._lanes = obeys, 0
        self._held: list[tuple[Mark, Callable[[], Any], Future[Any]]] = []

    def lane(self) -> Lane:
        self._lanes += 1
        return EagerLane(self._obeys) if self._lanes == 1 else LatestLane(self._obeys)

    def once(self, mark: Mark, read: Callable[[], R]) -> Future[R]:
        if not self.holds:
            return super().once(mark, read)
        future: Future[R] = Future()
        self._held.append((mark, read, future))
        return future

    @property
    def held(self) -> int:
        """Clips that were begun and are not ready."""
        return len(self._held)

    def finish(self, failure: Exception | None = None) -> None:
        """The oldest clip is ready, or has failed."""
        mark, read, future = self._held.pop(0)
        if failure is not None:
            future.set_exception(failure)
        else:
            mark.wait()
            future.set_result(read())

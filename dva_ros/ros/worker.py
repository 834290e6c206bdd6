"""One thread for inference, so that ROS callbacks only copy and enqueue."""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

R = TypeVar("R")
STOP_TIMEOUT_S = 10.0


class Worker:
    """Runs jobs in the order in which they came, all in one thread.

    Args:
        name: of the thread.
        failed: told of a job's exception (its traceback); the thread goes on.
    """

    def __init__(self, name: str, failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._jobs: deque[Callable[[], object]] = deque()
        self._changed = threading.Condition()
        self._running = True
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], object]) -> None:
        """Queue a job."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    def call(self, job: Callable[[], R]) -> R:
        """Run a job in the thread, wait, and give its result or raise its exception."""
        result: Future[R] = Future()

        def run() -> None:
            try:
                result.set_result(job())
            except BaseException as error:
                result.set_exception(error)

        self.submit(run)
        return result.result()

    def close(self) -> None:
        """Drop what waits and end the thread after the running job."""
        with self._changed:
            self._jobs.clear()
            self._running = False
            self._changed.notify()
        self._thread.join(STOP_TIMEOUT_S)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or not self._running)
                if not self._running:
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception:
                self._failed(traceback.format_exc())

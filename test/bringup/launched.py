"""A running `ros2 launch`: its output, its processes, its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from running_program import RunningProgram

LAUNCH = Path(__file__).resolve().parents[2] / "launch"
STARTED = re.compile(r"\[([\w.]+)-\d+\]: process started with pid \[(\d+)\]")


class Launched(RunningProgram):
    """``ros2 launch FILE ARGUMENTS``."""

    def __init__(self, ros2: str, file: str, *arguments: str) -> None:
        super().__init__(ros2, "launch", str(LAUNCH / file), *arguments)

    @property
    def started(self) -> list[tuple[str, int]]:
        """Name and process id of everything that was started, in order."""
        return [(name, int(pid)) for name, pid in STARTED.findall(self.text)]

    def pid(self, name: str) -> int:
        """Of the last process of that name."""
        return dict(self.started)[name]

    def wait_for(self, reached: Callable[[], object], timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        while not reached():
            assert time.monotonic() < end, f"not reached within {timeout_s} s:\n{self.text}"
            time.sleep(0.05)

    def wait_for_text(self, text: str, timeout_s: float) -> None:
        ended = self.process.poll
        self.wait_for(lambda: text in self.text or ended() is not None, timeout_s)
        if ended() is not None:
            self._reader.join(5)
        assert text in self.text, f"not said before it ended:\n{self.text}"


def is_running(pid: int) -> bool:
    """Whether there is such a process (a zombie is none)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "State:\tZ" not in status

"""A program that runs beside the test: its output, its process, its end."""

from __future__ import annotations

import signal
import subprocess
import threading
from pathlib import Path


class RunningProgram:
    """A started program.

    Args:
        command: program and arguments.
    """

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)

    @property
    def text(self) -> str:
        """Its output so far."""
        return "".join(self._lines)

    def wait(self, timeout_s: float = 30.0) -> int:
        """Its exit status, when it has ended by itself."""
        status = self.process.wait(timeout_s)
        self._reader.join(5)
        return status

    def interrupt(self, number: int = signal.SIGINT) -> int:
        """End it by a signal; gives the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait(60.0)


def find_process(*words: str, parent: int | None = None) -> int | None:
    """The process with these words on its command line, of this parent; None for none."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                arguments = (folder / "cmdline").read_bytes().decode().split("\0")
                status = (folder / "status").read_text()
            except OSError:
                continue
            ours = parent is None or f"PPid:\t{parent}\n" in status
            if ours and set(words) <= set(arguments):
                return int(folder.name)
    return None

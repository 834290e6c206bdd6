"""A process under measurement: its CPU time, what it tells, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ....bringup.graph import environment
from ....ros.lifetime import DIE_WITH_PARENT

STOP_TIMEOUT_S = 15.0
_MARK = "camera_bench: "


class MeasuredProcess:
    """``python -m MODULE ARGUMENTS``; leaving the context stops it.

    Attributes:
        pid: of the process.
    """

    def __init__(self, module: str, arguments: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment(), DIE_WITH_PARENT: str(os.getpid())},
        )
        self.pid = self._process.pid

    def __enter__(self) -> MeasuredProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def cpu_s(self) -> float:
        """CPU time of all its threads since the start, s."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def heard(self) -> Any:
        """The next that it tells (see `tell`); None at its end. The middleware may write, too."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(_MARK):
                return json.loads(line.removeprefix(_MARK))
        return None

    def interrupt(self) -> None:
        """Ask it to end."""
        self._process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """Interrupt it, and kill it where that does not help."""
        if not self.alive:
            return
        self.interrupt()
        try:
            self._process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def tell(values: Any) -> None:
    """From the measured process to the one that measures."""
    print(f"{_MARK}{json.dumps(values)}", flush=True)

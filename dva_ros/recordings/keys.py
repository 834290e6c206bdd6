"""Single keys from the terminal, without waiting for them."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty


class TerminalKeys:
    """Reads keys as they are pressed. Use as a context manager; leaving it restores the terminal.

    Where standard input is no terminal there are never any keys.
    """

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else None

    def __enter__(self) -> TerminalKeys:
        if self._descriptor is not None:
            self._before = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor)
        return self

    def __exit__(self, *error: object) -> None:
        if self._descriptor is not None:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def pressed(self) -> str:
        """The keys since the last call, "" for none."""
        if self._descriptor is None or not select.select([self._descriptor], [], [], 0.0)[0]:
            return ""
        return os.read(self._descriptor, 64).decode(errors="replace")

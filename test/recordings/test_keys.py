"""Keys of a terminal come as they are pressed; the terminal is left as it was."""

from __future__ import annotations

import os
import pty
import termios
import time

import pytest

from dva_ros.recordings.keys import TerminalKeys


def test_keys_come_without_return_and_the_terminal_is_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        before = termios.tcgetattr(theirs)
        with TerminalKeys() as keys:
            assert keys.pressed() == ""
            os.write(ours, b"sy")
            deadline = time.monotonic() + 5.0
            found = ""
            while found != "sy" and time.monotonic() < deadline:
                found += keys.pressed()
            assert found == "sy"
        assert termios.tcgetattr(theirs) == before
    os.close(ours)


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with TerminalKeys() as keys:
            assert keys.pressed() == ""

"""A node's process ends with the process that started it. No ROS here."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

DIE_WITH_PARENT = "DVA_ROS_DIE_WITH_PARENT"
"""Environment variable: id of the process that a node's process must not outlive. It gets SIGTERM
when its parent dies, and ends where that process was gone before it could ask for this."""

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Where the process that starts nodes asked for it, its end ends this one, too.

    Raises:
        SystemExit: it has ended already; imports take seconds.
    """
    starter = os.environ.get(DIE_WITH_PARENT)
    if starter:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if int(starter) not in _ancestors():
            sys.exit(f"process {starter}, which started this one, has ended")


def _ancestors() -> list[int]:
    """The parent of this process, its parent, and so on: a debugger may stand in between."""
    found = [os.getppid()]
    while found[-1] > 0:
        try:
            stat = Path(f"/proc/{found[-1]}/stat").read_text()
        except OSError:  # it ends now
            break
        found.append(int(stat.rpartition(")")[2].split()[1]))
    return found

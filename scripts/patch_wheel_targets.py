"""Point the CMake targets exported by the ROS 2 wheels at this machine's Python.

The wheels' CMake files name the include directories of the Python that built them, under
/opt/python; a package that finds them with CMake does not compile until these are replaced.
Safe to run again: a file is written only when something in it changes.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import numpy


def replacements() -> dict[str, str]:
    """Maps the build machine's include directories to this Python's."""
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    prefix = f"/opt/python/{tag}-{tag}"
    return {
        f"{prefix}/lib/python{version}/site-packages/numpy/_core/include": numpy.get_include(),
        f"{prefix}/lib/python{version}/site-packages/numpy/core/include": numpy.get_include(),
        f"{prefix}/include/python{version}": sysconfig.get_path("include"),
    }


def patch(share: Path) -> int:
    """Replace the directories in every CMake file below `share`; returns the files changed."""
    changed = 0
    for path in share.rglob("*.cmake"):
        text = path.read_text(encoding="utf-8")
        patched = text
        for old, new in replacements().items():
            patched = patched.replace(old, new)
        if patched != text:
            path.write_text(patched, encoding="utf-8")
            changed += 1
    return changed


if __name__ == "__main__":
    print(f"CMake targets of the ROS 2 wheels: {patch(Path(sys.prefix) / 'share')} files patched")

"""What sdformat, the library with which Gazebo reads files, understood of a file."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

PACKAGE = "sdformat12"


def missing_sdformat() -> str | None:
    """Why sdformat cannot be used here, or None."""
    for tool in ("g++", "pkg-config"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed; apt-get install g++ pkg-config libsdformat-dev"
    if _flags() is None:
        return "sdformat is not installed; apt-get install libsdformat-dev"
    return None


def build(folder: Path) -> Path:
    """Compile sdf_facts.cc into a folder; the program prints the facts of one file."""
    flags = _flags()
    assert flags is not None
    program = folder / "sdf_facts"
    source = Path(__file__).with_suffix(".cc")
    subprocess.run(["g++", "-std=c++17", str(source), "-o", str(program), *flags], check=True)
    return program


class Facts:
    """Facts of one file, by kind and name.

    Attributes:
        errors: that sdformat reported.
        warnings: lines that it wrote to stderr.
    """

    def __init__(self, program: Path, file: Path) -> None:
        """Have the program read the file."""
        done = subprocess.run(
            [str(program), str(file)], capture_output=True, text=True, check=True
        )
        content = json.loads(done.stdout)
        self.errors: list[str] = content["errors"]
        self.warnings = done.stderr.splitlines()
        self._facts: list[dict[str, Any]] = content["facts"]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Name -> fields of every "model", "link", "joint", "collision", "camera", "plugin"."""
        chosen = [fact for fact in self._facts if fact["kind"] == kind]
        found = {fact["name"]: fact for fact in chosen}
        assert len(found) == len(chosen), f"{kind} names repeat"
        return found


def _flags() -> list[str] | None:
    command = ["pkg-config", "--cflags", "--libs", PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else None

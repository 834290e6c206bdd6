"""Gazebo's own libraries, as far as Debian has them: sdformat reads files, gz-physics moves them.

Gazebo itself, its rendering and gz_ros2_control are not in Debian.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

SDFORMAT = ("sdformat12",)
PHYSICS = ("ignition-physics5", "ignition-physics5-sdf", "ignition-plugin1-loader", "eigen3")
ENGINE = "ign-physics-5/engine-plugins/libignition-physics5-dartsim-plugin.so"


def missing(packages: tuple[str, ...], debian: str) -> str | None:
    """Why programs with these pkg-config packages cannot be built here, or None."""
    for tool in ("g++", "pkg-config"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed; apt-get install g++ pkg-config {debian}"
    if subprocess.run(["pkg-config", "--exists", *packages]).returncode != 0:
        return f"{packages[0]} is not installed; apt-get install {debian}"
    return None


def build(name: str, packages: tuple[str, ...], folder: Path) -> Path:
    """Compile the program `name`.cc into a folder."""
    flags = ["pkg-config", "--cflags", "--libs", *packages]
    found = subprocess.run(flags, capture_output=True, text=True, check=True).stdout.split()
    source = Path(__file__).with_name(f"{name}.cc")
    subprocess.run(
        ["g++", "-std=c++17", str(source), "-o", str(folder / name), *found], check=True
    )
    return folder / name


class Facts:
    """What sdformat understood of one file: facts, by kind and name.

    Attributes:
        errors: that sdformat reported.
        warnings: lines that it wrote to stderr.
    """

    def __init__(self, program: Path, file: Path) -> None:
        """Have the program gz_sdf read the file."""
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


def play(
    program: Path, world: Path, robot: Path, gain: float, names: tuple[str, ...], rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Play commands [T, J] every 10 ms with the program gz_physics.

    Returns:
        the object's place [T, 3], the joints' positions [T, J], their followers' [T, J].
    """
    folder = ["pkg-config", "--variable=libdir", PHYSICS[0]]
    libraries = subprocess.run(folder, capture_output=True, text=True, check=True).stdout.strip()
    engine = Path(libraries) / ENGINE
    command = [str(program), str(engine), str(world), str(robot), str(gain), *names]
    text = "\n".join(" ".join(f"{value:.9g}" for value in row) for row in rows)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    result = np.array([line.split() for line in done.stdout.splitlines()], dtype=float)
    assert len(result) == len(rows), done.stderr
    return result[:, :3], result[:, 3 : 3 + len(names)], result[:, 3 + len(names) :]

"""Makes a folder an ament prefix."""

from __future__ import annotations

from pathlib import Path


def add_package(prefix: Path, name: str) -> Path:
    """Make the ament prefix have a package; gives the folder of its programs."""
    marker = prefix / "share/ament_index/resource_index/packages" / name
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    (prefix / "share" / name).mkdir(parents=True, exist_ok=True)
    programs = prefix / "lib" / name
    programs.mkdir(parents=True, exist_ok=True)
    return programs


def add_program(programs: Path, name: str, text: str) -> None:
    """Write a program and make it executable."""
    path = programs / name
    path.write_text(text)
    path.chmod(0o755)

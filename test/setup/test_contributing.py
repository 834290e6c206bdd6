"""The map in CONTRIBUTING.md leads to files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = re.compile(r"^\| (a .*?) \| (.*) \|$", re.MULTILINE)
ROWS = TABLE.findall((ROOT / "CONTRIBUTING.md").read_text())


def test_the_map_has_the_usual_additions() -> None:
    named = {row[0] for row in ROWS}
    assert {"a task", "a camera encoding", "a scheduler for comparison", "a command"} <= named


@pytest.mark.parametrize("what, files", ROWS, ids=[row[0] for row in ROWS])
def test_every_file_to_touch_exists(what: str, files: str) -> None:
    """Of a path with a placeholder, the folder above it."""
    paths = [one for one in re.findall(r"`([^`]+)`", files) if "/" in one or one.endswith(".py")]
    assert paths, f"{what}: names no file"
    for path in paths:
        known = path.split("<name>")[0]
        assert (ROOT / known).exists(), f"{what}: {path}"

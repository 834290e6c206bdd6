"""docs/reference/commands.md and the README name every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from dva_ros.__main__ import command_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page", ["README.md", "docs/reference/commands.md"])
def test_every_command_is_named(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = [name for name in command_names() if f"`{name}`" not in text]
    assert [name for name in missing if f"`{name} " not in text] == []

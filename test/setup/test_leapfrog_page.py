"""docs/concepts/scheduler.md: pictures drawn by its command; parameters in guides/tuning.md."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "concepts" / "scheduler.md"
TUNING = ROOT / "docs" / "guides" / "tuning.md"
MOST_BYTES = 150_000


def test_every_picture_of_the_page_is_small_and_drawn_by_its_script(tmp_path: Path) -> None:
    named = set(re.findall(r"images/(\w+\.png)", PAGE.read_text()))
    script = ROOT / "docs" / "scripts" / "leapfrog_plots.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, cwd=ROOT, timeout=300)
    assert {path.name for path in tmp_path.iterdir()} == named
    for name in named:
        committed = ROOT / "docs" / "images" / name
        assert committed.is_file()
        assert (tmp_path / name).stat().st_size < MOST_BYTES
        assert committed.stat().st_size < MOST_BYTES


def test_links_lead_to_pages_and_headings() -> None:
    for page, _, heading in re.findall(r"\]\((\w+\.md)(#([\w-]+))?\)", PAGE.read_text()):
        text = (PAGE.parent / page).read_text()
        headings = re.findall(r"^#+ (.+)$", text, re.M)
        slugs = {title.lower().replace(" ", "-") for title in headings}
        assert not heading or heading in slugs, f"{page} has no heading {heading}"


@pytest.mark.ros
def test_every_parameter_of_the_scheduler_is_explained() -> None:
    from dva_ros.ros.scheduler_parameters import LeapfrogSchedulerParameters

    text = TUNING.read_text()
    names = {field.name for field in dataclasses.fields(LeapfrogSchedulerParameters)}
    missing = sorted(name for name in names if f"`{name}`" not in text)
    assert missing == []

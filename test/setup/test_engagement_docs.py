"""What the pages say of the first motion is what the configuration does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SIMULATED, REAL = ("cell", "gazebo"), ("real",)


@pytest.mark.parametrize("name", SIMULATED + REAL)
def test_only_simulated_cells_engage_by_themselves(name: str) -> None:
    document = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    parameters = document["/**/leapfrog_scheduler"]["ros__parameters"]
    assert parameters["engage_on_activate"] == (name in SIMULATED)


def test_tutorial_and_safety_page_say_so() -> None:
    tutorial = (ROOT / "docs" / "start" / "tutorial.md").read_text()
    safety = (ROOT / "docs" / "start" / "safety.md").read_text()
    for page in (tutorial, safety):
        assert "`config/cell.yaml`" in page and "`engage_on_activate: true`" in page
        assert "`config/real.yaml`" in page and "engage`" in page

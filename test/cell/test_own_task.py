"""A task outside the package works like a shipped one: the example of docs/tasks.md."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from dva_ros.__main__ import main
from dva_ros.cell.tasks import find_task
from dva_ros.errors import UserError

pytest.importorskip("mujoco")

ROOT = Path(__file__).resolve().parents[2]
REACH = "docs.examples.reach:Reach"


def test_the_page_shows_the_example_as_it_is() -> None:
    page = (ROOT / "docs" / "tasks.md").read_text()
    block = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert block is not None
    assert block[1] == (ROOT / "docs" / "examples" / "reach.py").read_text()


def test_its_expert_is_evaluated_in_the_closed_loop(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    arguments = ["evaluate", "--task", REACH, "--policy", "expert", "--episodes", "3"]
    assert main([*arguments, "--json", str(report)]) == 0
    assert json.loads(report.read_text())["successes"] == 3


def test_its_episodes_are_recorded_disturbances_included(tmp_path: Path) -> None:
    output = tmp_path / "reach"
    arguments = ["generate", "--task", REACH, "--episodes", "3", "--output", str(output)]
    assert main([*arguments, "--workers", "1"]) == 0
    assert (output / "meta" / "info.json").exists()


def test_the_list_shows_it_with_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["tasks", "--task", f"pick_place,{REACH}", "--output", str(tmp_path)]) == 0
    assert "touch the mark" in capsys.readouterr().out
    assert {path.name for path in tmp_path.glob("*.png")} == {"pick_place.png", "reach.png"}


@pytest.mark.parametrize(
    "name, message",
    [
        ("no_such_module:Task", "cannot be imported"),
        ("docs.examples.reach:Jump", "has no 'Jump'"),
        ("docs.examples.reach:Mark", "'docs.examples.reach:Mark'"),
        ("pathlib:Path", "has no name, summary|has no summary"),
    ],
)
def test_what_is_no_task_is_refused_by_name(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        find_task(name)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--task", "juggle"], "juggle"),
        (["--task", "docs.examples.reach:Jump"], "has no 'Jump'"),
        (["--task", REACH, "--no-cell"], "--no-cell"),
    ],
)
def test_up_refuses_a_task_before_it_starts_anything(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(["up", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_fork_keeps_judge_and_colours_apart() -> None:
    """What happens in a copy of the moment leaves the original as it was."""
    from dva_ros.cell.simulation import Cell

    cell = Cell()
    cell.reset(find_task(REACH), 0, "test")
    copy, expert = cell.fork(), cell.task.expert(cell.scene)
    copy.world.paint("mark", (0.0, 0.0, 1.0, 1.0))
    while not copy.evaluate().success and copy.time < 5.0:
        copy.step(expert.act(copy.world))
    assert copy.evaluate().success and copy.evaluate().stages == ("touched",)
    assert not cell.evaluate().success and cell.evaluate().stages == ()
    before = cell.render("overhead").copy()
    copy.render("overhead")
    assert (cell.render("overhead") == before).all()
    copy.close()
    cell.close()


def test_its_gazebo_world_has_the_mark_which_nothing_touches() -> None:
    from dva_ros.cell.gazebo_world import cell_world

    text = cell_world(find_task(REACH).scene(0, "train").props)
    mark = ElementTree.fromstring(text.encode()).find(".//model[@name='mark']")
    assert mark is not None
    assert mark.findtext(".//cylinder/radius") == "0.03" and mark.find(".//collision") is None

"""`generate` and `inspect` as a person calls them, with the real cell."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dva_ros.__main__ import main
from dva_ros.data.store import EpisodeStore
from dva_ros.spec import EMBEDDED_CELL


def _generate(root: Path, *options: str) -> int:
    return main(["generate", "--episodes", "1", "--workers", "2", "--output", str(root), *options])


def test_both_tasks_are_recorded_inspected_and_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    assert _generate(root, "--task", "pick_place,lift", "--keep-failures") == 0
    assert main(["inspect", str(root), "--pictures", "2"]) == 0
    table = capsys.readouterr().out
    assert "pick_place" in table
    assert "2 episodes" in table
    assert cv2.imread(str(root / "contact_sheet.png")) is not None
    store = EpisodeStore.open([root], EMBEDDED_CELL, workers=1)
    assert store.tasks == ["pick_place", "lift"]
    first = store.starts[0]
    rest = np.abs(store.command[first] - store.state[first])
    assert rest.max() < 0.02, "an episode starts at rest: the command is where the robot is"


def test_random_motion_is_a_dataset_of_its_own(tmp_path: Path) -> None:
    assert _generate(tmp_path / "data", "--random-motion") == 0
    store = EpisodeStore.open([tmp_path / "data"], EMBEDDED_CELL, workers=1)
    assert store.tasks == ["random_motion"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--task is missing: one or more of lift,pick_place"),
        (("--task", "juggle"), "task 'juggle' is unknown; choose one of lift, pick_place"),
        (("--task", "lift", "--random-motion"), "leave --task out"),
        (("--task", "lift", "--workers", "0"), "must be at least 1"),
    ],
)
def test_wrong_options_are_said_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    assert _generate(tmp_path / "data", *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()

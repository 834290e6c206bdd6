"""Generation: resumable, exact about configurations, and nothing made is lost."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_recorder import FakeRecorder, make_episode

from dva_ros.data import generation, generation_plan, lerobot_writer
from dva_ros.data.episodes import Episode
from dva_ros.data.generation import GenerationStoppedError, Recorded, generate
from dva_ros.data.generation_plan import (
    RANDOM_MOTION,
    SEED_STRIDE,
    EpisodeJob,
    GenerationConfig,
    GenerationResult,
)
from dva_ros.data.lerobot_reader import LeRobotDataset
from dva_ros.errors import UserError
from dva_ros.spec import EMBEDDED_CELL

CONFIG = GenerationConfig(
    tasks=("pick_place", "lift"),
    episodes=6,
    seed=0,
    split="train",
    perturb=True,
    keep_failures=False,
)


@pytest.fixture(autouse=True)
def _shards_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve episodes: pick_place 0..3, lift 0..3, pick_place 4..5, lift 4..5."""
    monkeypatch.setattr(generation_plan, "EPISODES_PER_SHARD", 4)


def _generate(
    root: Path,
    config: GenerationConfig,
    recorder: FakeRecorder,
    events: list[Recorded] | None = None,
    workers: int = 1,
) -> GenerationResult:
    report = (events if events is not None else []).append
    return generate(root, config, EMBEDDED_CELL, recorder, workers, report)


def _seeds(root: Path) -> list[tuple[str, int]]:
    return [(e.task, e.seed) for e in LeRobotDataset(root, EMBEDDED_CELL).entries]


def test_every_scene_is_recorded_once_whatever_the_number_of_workers(tmp_path: Path) -> None:
    result = _generate(tmp_path / "data", CONFIG, FakeRecorder(), workers=2)
    assert result.complete
    assert result.recorded == result.kept == 12
    expected = [(task, seed) for seed in range(6) for task in CONFIG.tasks]
    assert sorted(_seeds(tmp_path / "data")) == sorted(expected)
    assert not (tmp_path / "data" / generation_plan.WORK_FOLDER).exists()


def test_a_complete_dataset_is_finished_at_once(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    first = _generate(tmp_path / "data", CONFIG, FakeRecorder(journal=journal))
    lines = journal.read_text()
    assert _generate(tmp_path / "data", CONFIG, FakeRecorder(journal=journal)) == first
    assert journal.read_text() == lines


def test_failed_experts_are_counted_and_left_out(tmp_path: Path) -> None:
    result = _generate(tmp_path / "data", CONFIG, FakeRecorder(failing=3))
    assert (result.recorded, result.succeeded, result.kept) == (12, 10, 10)
    assert all(seed % 10 != 3 for _, seed in _seeds(tmp_path / "data"))


def test_scenes_that_give_no_episode_are_counted_apart(tmp_path: Path) -> None:
    """They are no failures, also after an interruption; all scenes were played."""
    root = tmp_path / "data"
    with pytest.raises(GenerationStoppedError):
        _generate(root, CONFIG, FakeRecorder(skipping=3, raising=5))
    events: list[Recorded] = []
    result = _generate(root, CONFIG, FakeRecorder(skipping=3), events)
    assert (result.recorded, result.succeeded, result.kept) == (10, 10, 10)
    assert result.complete
    assert sum(event.episodes for event in events) == 10
    assert sum(event.skipped for event in events) == 2
    assert all(seed % 10 != 3 for _, seed in _seeds(root))


def test_failed_experts_are_kept_on_request(tmp_path: Path) -> None:
    config = replace(CONFIG, keep_failures=True)
    result = _generate(tmp_path / "data", config, FakeRecorder(failing=3))
    assert (result.succeeded, result.kept) == (10, 12)
    successes = [e.success for e in LeRobotDataset(tmp_path / "data", EMBEDDED_CELL).entries]
    assert successes.count(False) == 2


def test_random_motion_is_always_kept(tmp_path: Path) -> None:
    config = replace(CONFIG, tasks=(RANDOM_MOTION,), episodes=5)
    assert _generate(tmp_path / "data", config, FakeRecorder(failing=3)).kept == 5


def test_after_a_failure_finished_shards_are_readable_and_the_next_run_goes_on(
    tmp_path: Path,
) -> None:
    root, journal = tmp_path / "data", tmp_path / "journal"
    message = "recording pick_place with seed 5 failed: RuntimeError: the gripper melted"
    with pytest.raises(GenerationStoppedError, match=message):
        _generate(root, CONFIG, FakeRecorder(raising=5))
    assert len(_seeds(root)) == 8, "the two shards of scenes 0..3 are whole"
    events: list[Recorded] = []
    result = _generate(root, CONFIG, FakeRecorder(journal=journal), events)
    assert result.complete
    assert len(set(_seeds(root))) == 12
    assert len(journal.read_text().splitlines()) == 4, "only what was missing is recorded"
    assert sum(event.episodes for event in events if event.resumed) == 8


def test_a_resumed_dataset_is_the_same_as_one_made_in_one_go(tmp_path: Path) -> None:
    with pytest.raises(GenerationStoppedError):
        _generate(tmp_path / "a", CONFIG, FakeRecorder(raising=2, failing=3))
    _generate(tmp_path / "a", CONFIG, FakeRecorder(failing=3))
    _generate(tmp_path / "b", CONFIG, FakeRecorder(failing=3), workers=2)
    names = ("data/chunk-000/file-000.parquet", "meta/stats.json", "meta/info.json")
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    assert _seeds(tmp_path / "a") == _seeds(tmp_path / "b")


def test_a_worker_that_dies_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(GenerationStoppedError, match=r"a recording process died \(exit code 9"):
        _generate(tmp_path / "data", CONFIG, FakeRecorder(dying=5))
    assert len(_seeds(tmp_path / "data")) == 8


def test_ctrl_c_keeps_finished_shards(tmp_path: Path) -> None:
    count = 0

    def interrupt(event: Recorded) -> None:
        nonlocal count
        count += 1
        if count == 11:
            raise KeyboardInterrupt

    with pytest.raises(GenerationStoppedError, match=r"interrupted; .* run the same command"):
        generate(tmp_path / "data", CONFIG, EMBEDDED_CELL, FakeRecorder(), 1, interrupt)
    assert len(_seeds(tmp_path / "data")) >= 4
    assert not list((tmp_path / "data" / generation_plan.WORK_FOLDER).glob("tmp-*"))
    assert _generate(tmp_path / "data", CONFIG, FakeRecorder()).complete


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, "seed = 0, now 5"),
        ({"episodes": 30}, "episodes = 6, now 30"),
        ({"tasks": ("lift",)}, "tasks = pick_place,lift, now lift"),
        ({"perturb": False}, "perturb = True, now False"),
    ],
)
def test_another_configuration_is_refused_by_naming_the_difference(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    generation_plan.begin(tmp_path / "data", CONFIG)
    changed: GenerationConfig = replace(CONFIG, **change)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=message):
        _generate(tmp_path / "data", changed, FakeRecorder())


def test_too_little_space_is_said_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"GB free, about .* GB are needed"):
        generation_plan.begin(tmp_path / "data", replace(CONFIG, episodes=10**10))
    assert not (tmp_path / "data").exists()


def test_a_disk_that_fills_up_is_said_and_loses_no_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(lerobot_writer, "_write_table", full)
        with pytest.raises(GenerationStoppedError, match=r"the disk is full; .* are kept"):
            _generate(tmp_path / "data", CONFIG, FakeRecorder())
    events: list[Recorded] = []
    assert _generate(tmp_path / "data", CONFIG, FakeRecorder(), events).complete
    assert all(event.resumed for event in events)


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    generation_plan.begin(tmp_path / "data", CONFIG)
    with (
        generation._only_process(tmp_path / "data"),
        pytest.raises(UserError, match="another `generate` is at work"),
    ):
        _generate(tmp_path / "data", CONFIG, FakeRecorder())


def test_seeds_of_neighbouring_datasets_do_not_meet() -> None:
    shards = replace(CONFIG, seed=3).jobs()
    seeds = {job.seed for shard in shards for job in shard}
    assert min(seeds) == 3 * SEED_STRIDE
    assert max(seeds) < 4 * SEED_STRIDE
    assert [len(shard) for shard in shards] == [4, 4, 2, 2]


def test_the_first_command_of_an_episode_is_its_first_action() -> None:
    episode: Episode = make_episode(EpisodeJob("lift", 1, "train", True))
    assert np.array_equal(episode.command()[0], episode.action[0])
    assert np.array_equal(episode.command()[1:], episode.action[:-1])

"""The decoded store: what training sees of one or more datasets."""

from __future__ import annotations

import logging
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from fake_recorder import make_episode
from moving_square import moving_squares

from dva_ros.data.episodes import Episode
from dva_ros.data.generation_plan import EpisodeJob
from dva_ros.data.lerobot_writer import assemble
from dva_ros.data.shards import write_shard
from dva_ros.data.store import EpisodeStore
from dva_ros.data.store_cache import mosaics
from dva_ros.errors import UserError
from dva_ros.spec import EMBEDDED_CELL


def _write(root: Path, seeds: range) -> list[Episode]:
    episodes = [
        make_episode(EpisodeJob("lift", seed, "train", True), num_frames=8 + seed)
        for seed in seeds
    ]
    work = root.with_name(root.name + "_work")
    half = len(episodes) // 2
    summaries = [
        write_shard(work, number, part, len(part), len(part), "train", EMBEDDED_CELL)
        for number, part in enumerate((episodes[:half], episodes[half:]))
    ]
    assemble(root, work, summaries, EMBEDDED_CELL)
    return episodes


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[Episode]]:
    """Two datasets of four and two episodes, and what is in them."""
    folder = tmp_path_factory.mktemp("datasets")
    episodes = _write(folder / "a", range(4)) + _write(folder / "b", range(4, 6))
    roots = [folder / "a", folder / "b"]
    EpisodeStore.open(roots, EMBEDDED_CELL, workers=1)
    return roots, episodes


def test_several_datasets_are_one_store(roots: tuple[list[Path], list[Episode]]) -> None:
    folders, episodes = roots
    store = EpisodeStore.open(folders, EMBEDDED_CELL)
    assert len(store) == 6
    assert store.num_frames == sum(episode.num_frames for episode in episodes)
    for number, episode in enumerate(episodes):
        rows = store.starts[number] + np.arange(store.lengths[number])
        assert np.array_equal(store.state[rows], episode.state)
        assert np.array_equal(store.clean[rows], episode.clean)
        frames = store.gather_frames(rows).astype(float)
        assert np.abs(frames - mosaics(episode, EMBEDDED_CELL)).mean() < 1.0
        assert store.instructions[number] == episode.instruction
        assert store.seeds[number] == episode.seed


def test_command_is_the_action_of_the_frame_before(
    roots: tuple[list[Path], list[Episode]],
) -> None:
    folders, episodes = roots
    store = EpisodeStore.open(folders, EMBEDDED_CELL)
    rows = store.starts[5] + np.arange(store.lengths[5])
    assert np.array_equal(store.command[rows][1:], episodes[5].action[:-1])
    assert np.array_equal(store.command[rows][0], episodes[5].action[0])


def test_frames_are_gathered_in_any_shape_and_order_across_datasets(
    roots: tuple[list[Path], list[Episode]],
) -> None:
    store = EpisodeStore.open(roots[0], EMBEDDED_CELL)
    whole = store.gather_frames(np.arange(store.num_frames))
    indices = np.random.default_rng(0).integers(0, store.num_frames, (3, 5))
    assert np.array_equal(store.gather_frames(indices), whole[indices])
    with pytest.raises(IndexError):
        store.gather_frames(np.array([store.num_frames]))


def test_opening_again_takes_less_than_a_second(
    roots: tuple[list[Path], list[Episode]],
) -> None:
    begin = time.perf_counter()
    EpisodeStore.open(roots[0], EMBEDDED_CELL)
    assert time.perf_counter() - begin < 1.0


def test_a_store_reaches_another_process_without_its_pixels(
    roots: tuple[list[Path], list[Episode]],
) -> None:
    store = EpisodeStore.open(roots[0], EMBEDDED_CELL)
    content = pickle.dumps(store)
    indices = np.arange(store.num_frames)
    assert len(content) < store.gather_frames(indices).nbytes / 10
    again = pickle.loads(content)
    assert np.array_equal(again.gather_frames(indices), store.gather_frames(indices))


def test_the_split_holds_whole_episodes_and_every_one_once(
    roots: tuple[list[Path], list[Episode]],
) -> None:
    store = EpisodeStore.open(roots[0], EMBEDDED_CELL)
    training, validation = store.split(validation_fraction=0.3, seed=1)
    assert (len(training), len(validation)) == (4, 2)
    assert sorted([*training.starts, *validation.starts]) == list(store.starts)
    again, _ = store.split(validation_fraction=0.3, seed=1)
    assert np.array_equal(again.starts, training.starts)


def test_a_damaged_episode_is_named_and_the_rest_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "dataset"
    _write(root, range(4))
    (root / "videos/observation.images.front/chunk-000/file-001.mp4").write_bytes(b"rubbish")
    for _ in range(2):  # decoding, and opening the decoded arrays later
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            store = EpisodeStore.open([root], EMBEDDED_CELL, workers=1)
        assert list(store.seeds) == [0, 1]
        assert "episode 2 (seed 2)" in caplog.text
        assert "file-001.mp4" in caplog.text


def test_a_dataset_without_any_usable_episode_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    _write(root, range(2))
    for path in root.glob("videos/observation.images.front/*/*.mp4"):
        path.write_bytes(b"rubbish")
    with pytest.raises(UserError, match=r"no episode of .* can be used"):
        EpisodeStore.open([root], EMBEDDED_CELL, workers=1)
    assert not list((root / ".cache").iterdir()), "nothing half decoded is left"


def test_changed_content_is_decoded_anew(tmp_path: Path) -> None:
    root, cache = tmp_path / "dataset", tmp_path / "cache"
    _write(root, range(2))
    assert len(EpisodeStore.open([root], EMBEDDED_CELL, cache, workers=1)) == 2
    _write(root.with_name("other"), range(4))
    root.rename(tmp_path / "old")
    root.with_name("other").rename(root)
    assert len(EpisodeStore.open([root], EMBEDDED_CELL, cache, workers=1)) == 4


def test_an_episode_keeps_its_side_of_the_split_when_data_is_added() -> None:
    """What was held out stays held out in a resumed training."""
    small, large = moving_squares(episodes=40, length=2), moving_squares(episodes=70, length=2)
    for fraction in (0.1, 0.5):
        train, held_out = ({*view.seeds.tolist()} for view in small.split(fraction))
        more_train, more_held_out = ({*view.seeds.tolist()} for view in large.split(fraction))
        assert train | held_out == set(range(40))
        assert held_out == more_held_out & set(range(40))
        assert train == more_train & set(range(40))
        assert len(more_held_out) == pytest.approx(70 * fraction, abs=8)

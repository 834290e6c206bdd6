"""Datasets on disk: what is written is what is read, by us and by LeRobot's own reader."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_recorder import make_episode
from lerobot_environment import run_lerobot

from dva_ros.data.episodes import Episode, EpisodeError
from dva_ros.data.generation_plan import EpisodeJob
from dva_ros.data.lerobot_reader import DamagedEpisode, DatasetError, LeRobotDataset
from dva_ros.data.lerobot_writer import assemble
from dva_ros.data.shards import write_shard
from dva_ros.data.statistics import aggregate, vector_statistics
from dva_ros.data.store_cache import mosaics
from dva_ros.data.video_file import decode_spans, encode_video
from dva_ros.spec import EMBEDDED_CELL, CameraSpec


def _episodes() -> list[Episode]:
    names = ("pick_place", "lift", "pick_place", "lift", "pick_place")
    return [
        make_episode(EpisodeJob(name, seed, "train", True), num_frames=10 + seed)
        for seed, name in enumerate(names)
    ]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Five episodes in two shards: 0..2 and 3..4."""
    root, work, episodes = tmp_path / "dataset", tmp_path / "work", _episodes()
    summaries = [
        write_shard(work, 0, episodes[:3], 4, 3, "train", EMBEDDED_CELL),
        write_shard(work, 1, [], 2, 0, "train", EMBEDDED_CELL),
        write_shard(work, 2, episodes[3:], 2, 2, "train", EMBEDDED_CELL),
    ]
    assemble(root, work, summaries, EMBEDDED_CELL)
    return root


def _read(root: Path) -> list[Episode | DamagedEpisode]:
    opened = LeRobotDataset(root, EMBEDDED_CELL)
    return list(opened.read(opened.entries))


def test_what_was_written_is_read_again(dataset: Path) -> None:
    for written, read in zip(_episodes(), _read(dataset), strict=True):
        assert isinstance(read, Episode)
        for name in ("state", "action", "clean"):
            assert np.array_equal(getattr(written, name), getattr(read, name)), name
        for name in ("task", "instruction", "seed", "success"):
            assert getattr(written, name) == getattr(read, name)


def test_compression_changes_the_model_s_pictures_by_less_than_one_step_on_average(
    dataset: Path,
) -> None:
    for written, read in zip(_episodes(), _read(dataset), strict=True):
        assert isinstance(read, Episode)
        live = mosaics(written, EMBEDDED_CELL).astype(float)
        stored = mosaics(read, EMBEDDED_CELL).astype(float)
        assert np.abs(live - stored).mean() < 1.0
        assert np.abs(live - stored).max() < 60


def test_frames_keep_their_place_in_a_video_of_many_episodes(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    clips = [np.full((n, 64, 128, 3), 8 * n, dtype=np.uint8) for n in (3, 12, 25)]
    encode_video(path, clips, 10)
    spans = decode_spans(path, [(0, 3), (3, 12), (15, 25), (39, 2)], 10)
    for clip, read in zip(clips, spans[:3], strict=True):
        assert read is not None
        assert np.abs(clip.astype(int) - read).max() <= 2
    assert spans[3] is None, "a span beyond the end has no frames"


def test_groups_are_the_episodes_that_share_files(dataset: Path) -> None:
    groups = LeRobotDataset(dataset, EMBEDDED_CELL).groups()
    assert [[entry.index for entry in group] for group in groups] == [[0, 1, 2], [3, 4]]


def test_a_broken_video_costs_only_its_own_episodes(dataset: Path) -> None:
    path = dataset / "videos/observation.images.front/chunk-000/file-002.mp4"
    path.write_bytes(b"not a video" * 100)
    read = _read(dataset)
    assert [isinstance(episode, Episode) for episode in read] == [True] * 3 + [False] * 2
    assert "file-002.mp4 cannot be decoded" in str(read[4])
    assert "episode 4 (seed 4)" in str(read[4])


def test_a_damaged_stretch_of_a_video_costs_only_the_episodes_in_it(dataset: Path) -> None:
    path = dataset / "videos/observation.images.overhead/chunk-000/file-000.mp4"
    content = bytearray(path.read_bytes())
    content[-200:] = bytes(200)
    path.write_bytes(content)
    read = _read(dataset)
    assert isinstance(read[0], Episode)
    assert isinstance(read[2], DamagedEpisode)
    assert isinstance(read[3], Episode)


def test_a_broken_table_costs_only_its_own_episodes(dataset: Path) -> None:
    (dataset / "data/chunk-000/file-000.parquet").write_bytes(b"PAR1")
    read = _read(dataset)
    assert [isinstance(episode, Episode) for episode in read] == [False] * 3 + [True] * 2
    assert "file-000.parquet cannot be read" in str(read[0])


def test_an_episode_with_nan_is_not_written_and_names_joint_and_frame(tmp_path: Path) -> None:
    episode = _episodes()[0]
    state = episode.state.copy()
    state[4, 6] = np.nan
    with pytest.raises(EpisodeError, match="state of left_gripper is nan at frame 4"):
        write_shard(tmp_path, 0, [replace(episode, state=state)], 1, 1, "train", EMBEDDED_CELL)
    assert not list(tmp_path.iterdir()), "nothing half written is left"


def test_a_folder_without_dataset_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="dva_ros generate"):
        LeRobotDataset(tmp_path, EMBEDDED_CELL)


def test_another_cell_is_refused_by_naming_what_differs(dataset: Path) -> None:
    joints = replace(EMBEDDED_CELL, joint_names=EMBEDDED_CELL.joint_names[1:])
    with pytest.raises(DatasetError, match="joint_names differ"):
        LeRobotDataset(dataset, joints)
    slower = replace(EMBEDDED_CELL, frame_period_s=0.2)
    with pytest.raises(DatasetError, match="10 frames/s, 5 are asked"):
        LeRobotDataset(dataset, slower)
    cameras = (*EMBEDDED_CELL.cameras, CameraSpec("wrist", 32, 64))
    with pytest.raises(DatasetError, match="no video of camera 'wrist'"):
        LeRobotDataset(dataset, replace(EMBEDDED_CELL, cameras=cameras))


def test_statistics_of_parts_add_up_to_those_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(size=(50, 3))
    whole = vector_statistics(values)
    parts = aggregate([vector_statistics(values[:20]), vector_statistics(values[20:])])
    for name in ("min", "max", "mean", "std", "count"):
        assert np.allclose(whole[name], parts[name]), name


def test_info_counts_episodes_frames_and_instructions(dataset: Path) -> None:
    info = json.loads((dataset / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (5, 60, 2)
    assert info["features"]["observation.state"]["names"] == list(EMBEDDED_CELL.joint_names)


LEROBOT_READ = """
import sys
from ledataset.datasets.lerobot_dataset import LeRobotDataset
dataset = LeRobotDataset("local/test", root=sys.argv[1], video_backend="pyav")
assert (dataset.num_episodes, len(dataset)) == (5, 60)
item = dataset[35]
assert int(item["episode_index"]) == 3 and int(item["frame_index"]) == 2
assert item["task"] == "do lift"
assert item["observation.images.overhead"].shape == (3, 96, 128)
assert item["observation.state"].shape == item["action"].shape == (14,)
assert set(dataset.meta.stats["action"]) >= {"min", "max", "mean", "std", "count", "q01", "q99"}
"""


def test_lerobot_s_own_reader_reads_it(dataset: Path) -> None:
    run_lerobot(LEROBOT_READ, dataset)

"""LeRobot datasets of both versions come in; what goes out is read by LeRobot's own reader."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bags import CellBag, command_at, episodes, picture_at, position_at
from fake_recorder import make_episode
from lerobot_environment import run_lerobot

from dva_ros.__main__ import main
from dva_ros.data.episodes import Episode
from dva_ros.data.generation_plan import EpisodeJob
from dva_ros.data.lerobot_reader import LeRobotDataset
from dva_ros.data.lerobot_writer import assemble
from dva_ros.data.shards import write_shard
from dva_ros.data.video_file import encode_video
from dva_ros.recordings.errors import RecordingError
from dva_ros.recordings.importer import import_recordings
from dva_ros.recordings.marks import MarkKind
from dva_ros.recordings.replay import ReplayOptions
from dva_ros.recordings.settings import CellSettings, NameMap
from dva_ros.spec import EMBEDDED_CELL

SETTINGS = CellSettings()
FPS = 20
LENGTHS = (30, 44)


def read(root: Path) -> list[Episode]:
    dataset = LeRobotDataset(root, EMBEDDED_CELL)
    found = list(dataset.read(dataset.entries))
    assert all(isinstance(episode, Episode) for episode in found)
    return found  # type: ignore[return-value]


def old_dataset(root: Path, joints: list[str], cameras: dict[str, str]) -> Path:
    """A dataset in format v2.1 at 20 Hz, as LeRobot lays it out."""
    chunk = Path("chunk-000")
    features: dict[str, object] = {
        name: {"dtype": "float32", "shape": [len(joints)], "names": {"motors": joints}}
        for name in ("observation.state", "action")
    }
    rows = []
    for episode, length in enumerate(LENGTHS):
        times = np.arange(length) / FPS
        table = pa.table(
            {
                "observation.state": [position_at(t).astype(np.float32) for t in times],
                "action": [command_at(t + 1 / FPS).astype(np.float32) for t in times],
                "timestamp": times.astype(np.float32),
                "episode_index": np.full(length, episode),
            }
        )
        path = root / "data" / chunk / f"episode_{episode:06d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        for camera, key in cameras.items():
            clip = np.stack([picture_at(camera, t) for t in times])
            video = root / "videos" / chunk / key / f"episode_{episode:06d}.mp4"
            video.parent.mkdir(parents=True, exist_ok=True)
            encode_video(video, [clip], FPS)
            features[key] = {
                "dtype": "video",
                "shape": list(clip.shape[1:]),
                "names": ["height", "width", "channels"],
            }
        rows.append({"episode_index": episode, "tasks": [f"do {episode}"], "length": length})
    info = {
        "codebase_version": "v2.1",
        "fps": FPS,
        "chunks_size": 1000,
        "features": features,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/"
        "episode_{episode_index:06d}.mp4",
    }
    (root / "meta").mkdir()
    (root / "meta/info.json").write_text(json.dumps(info))
    (root / "meta/episodes.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return root


def test_v2_1_at_another_rate_comes_onto_the_grid(tmp_path: Path) -> None:
    joints = [f"{name}.pos" for name in EMBEDDED_CELL.joint_names]
    cameras = {"overhead": "observation.images.top", "front": "observation.images.front"}
    source = old_dataset(tmp_path / "old", joints, cameras)
    names = NameMap(cameras={"overhead": "observation.images.top"})
    settings = replace(SETTINGS, names=names)
    report = import_recordings([source], tmp_path / "new", settings, ReplayOptions())
    found = read(tmp_path / "new")
    assert report.counts.episodes == 2
    assert not report.notes
    for number, episode in enumerate(found):
        assert episode.num_frames == LENGTHS[number] // 2
        assert episode.instruction == f"do {number}"
        for frame in range(episode.num_frames - 1):
            assert np.allclose(episode.state[frame], position_at(frame / 10), atol=1e-5)
            assert np.allclose(episode.action[frame], command_at((frame + 1) / 10), atol=1e-5)
        shown = episode.images["overhead"][9].astype(int)
        assert np.abs(shown - picture_at("overhead", 0.9)).mean() < 2


def test_our_own_dataset_comes_back_as_it_was(tmp_path: Path) -> None:
    written = [
        make_episode(EpisodeJob(name, seed, "train", True), 14 + seed, success=seed != 1)
        for seed, name in enumerate(("lift", "pick_place", "lift"))
    ]
    work = tmp_path / "work"
    summary = write_shard(work, 0, written, 3, 2, "train", EMBEDDED_CELL)
    assemble(tmp_path / "first", work, [summary], EMBEDDED_CELL)
    options = ReplayOptions(keep_failures=True)
    import_recordings([tmp_path / "first"], tmp_path / "second", SETTINGS, options)
    for before, after in zip(written, read(tmp_path / "second"), strict=True):
        assert np.array_equal(before.state, after.state)
        assert np.allclose(before.action, after.action, atol=1e-6)
        for name in ("task", "instruction", "seed", "success"):
            assert getattr(before, name) == getattr(after, name)


def test_what_a_dataset_lacks_is_named(tmp_path: Path) -> None:
    cameras = {"overhead": "observation.images.top", "front": "observation.images.front"}
    source = old_dataset(tmp_path / "old", list(EMBEDDED_CELL.joint_names), cameras)
    with pytest.raises(RecordingError, match=r"no video .*overhead.*it has observation"):
        import_recordings([source], tmp_path / "new", SETTINGS, ReplayOptions())
    names = NameMap(cameras={"overhead": "observation.images.top"}, joints={"left_waist": "hip"})
    settings = replace(SETTINGS, names=names)
    with pytest.raises(RecordingError, match=r"observation\.state .* has no left_waist"):
        import_recordings([source], tmp_path / "new", settings, ReplayOptions())
    info = source / "meta/info.json"
    info.write_text(info.read_text().replace("v2.1", "v1.6"))
    with pytest.raises(RecordingError, match=r"format v1\.6"):
        import_recordings([source], tmp_path / "new", SETTINGS, ReplayOptions())


def test_a_damaged_video_costs_its_episode_and_is_named(tmp_path: Path) -> None:
    cameras = {"overhead": "observation.images.overhead", "front": "observation.images.front"}
    source = old_dataset(tmp_path / "old", list(EMBEDDED_CELL.joint_names), cameras)
    video = source / "videos/chunk-000/observation.images.front/episode_000000.mp4"
    video.write_bytes(b"no video")
    report = import_recordings([source], tmp_path / "new", SETTINGS, ReplayOptions())
    assert [episode.instruction for episode in read(tmp_path / "new")] == ["do 1"]
    assert "episode 0" in report.notes[0]


LEROBOT_READ = """
import sys
from ledataset.datasets.lerobot_dataset import LeRobotDataset
dataset = LeRobotDataset("local/test", root=sys.argv[1], video_backend="pyav")
assert (dataset.num_episodes, dataset.fps) == (2, 20), (dataset.num_episodes, dataset.fps)
assert dataset.meta.robot_type == "my_robot"
item = dataset[45]
assert int(item["episode_index"]) == 1 and int(item["frame_index"]) == 5
assert item["task"] == "lift box 1"
assert item["observation.images.overhead"].shape == (3, 96, 128)
assert item["observation.state"].shape == item["action"].shape == (14,)
print([float(value) for value in item["observation.state"]])
"""


def exported(tmp_path: Path) -> Path:
    """Two episodes, by the command, at 20 frames a second."""
    marks = episodes(MarkKind.SUCCESS, MarkKind.SUCCESS)
    source = CellBag(seconds=6.0, marks=marks).write(tmp_path / "bag.mcap")
    output = tmp_path / "exported"
    arguments = ["export", str(source), "--output", str(output), "--fps", "20"]
    assert main([*arguments, "--robot-type", "my_robot"]) == 0
    return output


def test_export_has_the_usual_pixel_format_and_the_rate_that_was_asked_for(
    tmp_path: Path,
) -> None:
    info = json.loads((exported(tmp_path) / "meta/info.json").read_text())
    assert (info["fps"], info["total_episodes"], info["robot_type"]) == (20, 2, "my_robot")
    video = info["features"]["observation.images.front"]
    assert video["info"]["video.pix_fmt"] == "yuv420p"
    assert video["shape"] == [64, 128, 3]


def test_lerobot_s_own_reader_reads_what_is_exported(tmp_path: Path) -> None:
    state = json.loads(run_lerobot(LEROBOT_READ, exported(tmp_path)).splitlines()[-1])
    assert np.allclose(state, position_at(3.0 + 5 / 20), atol=0.02)


def test_the_commands_end_with_status_2_and_say_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(tmp_path / "none.mcap"), "--output", str(tmp_path / "a")]) == 2
    assert "none.mcap does not exist" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()

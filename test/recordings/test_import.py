"""Bags become datasets: the right frames, commands and episodes; what is lost is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from bags import STORE, CellBag, command_at, episodes, picture_at, position_at
from rosbags.rosbag2 import StoragePlugin

from dva_ros.context.camera_input import CameraInput, CameraTopic
from dva_ros.context.camera_view import Calibration
from dva_ros.context.image_decoding import Window
from dva_ros.context.picture import CompressedPicture, RawPicture
from dva_ros.data.episodes import Episode
from dva_ros.data.lerobot_reader import LeRobotDataset
from dva_ros.data.store import EpisodeStore
from dva_ros.recordings.errors import RecordingError
from dva_ros.recordings.importer import DatasetForm, ImportReport, import_recordings
from dva_ros.recordings.marks import Mark, MarkKind
from dva_ros.recordings.replay import ReplayOptions
from dva_ros.recordings.settings import (
    CellSettings,
    NameMap,
    read_map,
    read_settings,
    recorder_parameters,
)
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

SETTINGS = CellSettings()


def imported(
    path: Path, source: Path, settings: CellSettings = SETTINGS, **options: object
) -> tuple[ImportReport, list[Episode]]:
    """Import one source and read the dataset."""
    output = path / "dataset"
    report = import_recordings([source], output, settings, ReplayOptions(**options))  # type: ignore[arg-type]
    dataset = LeRobotDataset(output, settings.spec)
    found = list(dataset.read(dataset.entries))
    assert all(isinstance(episode, Episode) for episode in found)
    assert not (output / ".import").exists()
    return report, found  # type: ignore[return-value]


def test_frames_joints_and_commands_are_those_of_the_bag(tmp_path: Path) -> None:
    source = CellBag(seconds=3.0).write(tmp_path / "bag.mcap")
    report, (episode,) = imported(tmp_path, source)
    assert episode.num_frames >= 28
    assert episode.instruction == "lift the box"
    assert episode.success
    assert report.counts.unmarked == 1
    assert not report.notes
    for frame in range(episode.num_frames):
        assert np.allclose(episode.state[frame], position_at(0.1 * frame), atol=1e-6)
        for camera, clip in episode.images.items():
            difference = np.abs(clip[frame].astype(int) - picture_at(camera, 0.1 * frame))
            assert difference.mean() < 2, (camera, frame)
    # The action is the command at the next frame.
    for frame in range(episode.num_frames - 1):
        expected = command_at(0.1 * (frame + 1))
        assert np.allclose(episode.action[frame], expected, atol=1e-3), frame
    assert report.counts.from_states == 0


def test_a_run_at_half_speed_becomes_frames_of_the_speed_that_models_are_trained_for(
    tmp_path: Path,
) -> None:
    """Frames, commands and joints are 0.2 s apart in the bag, 0.1 s in the dataset."""
    source = CellBag(seconds=3.0).write(tmp_path / "bag.mcap")
    file = tmp_path / "cell.yaml"
    file.write_text("/**:\n  ros__parameters:\n    time_scaling: 0.5\n")
    _, (episode,) = imported(tmp_path, source, read_settings(file))
    assert 13 <= episode.num_frames <= 16
    for frame in range(episode.num_frames - 1):
        assert np.allclose(episode.state[frame], position_at(0.2 * frame), atol=1e-6)
        assert np.allclose(episode.action[frame], command_at(0.2 * (frame + 1)), atol=1e-3)
        difference = episode.images["front"][frame].astype(int) - picture_at("front", 0.2 * frame)
        assert np.abs(difference).mean() < 2
    file.write_text("/**:\n  ros__parameters:\n    time_scaling: 0.0\n")
    with pytest.raises(RecordingError, match=r"cell\.yaml.*time_scaling"):
        read_settings(file)


@pytest.mark.parametrize("storage", list(StoragePlugin))
def test_bags_of_rosbag2_are_imported(tmp_path: Path, storage: StoragePlugin) -> None:
    source = CellBag(seconds=2.0).write_rosbag2(tmp_path / "bag", storage)
    _, (episode,) = imported(tmp_path, source)
    assert np.allclose(episode.state[5], position_at(0.5), atol=1e-6)


def test_compressed_images_and_a_namespace_need_no_option(tmp_path: Path) -> None:
    source = CellBag(seconds=2.0, namespace="/left_cell", compressed=True)
    _, (episode,) = imported(tmp_path, source.write(tmp_path / "bag.mcap", "zstd"))
    difference = np.abs(episode.images["front"][7].astype(int) - picture_at("front", 0.7))
    assert difference.mean() < 2


def test_marks_decide_what_is_kept(tmp_path: Path) -> None:
    kinds = (MarkKind.SUCCESS, MarkKind.FAILURE, MarkKind.DISCARD, MarkKind.STOP)
    marks = episodes(*kinds)
    # Kept first, discarded afterwards, between the episodes.
    marks[10.6] = Mark(MarkKind.START, 4, "lift", "lift box 4")
    marks[12.6] = Mark(MarkKind.SUCCESS, 4, "lift", "lift box 4")
    marks[12.9] = Mark(MarkKind.DISCARD, 4, "lift", "lift box 4")
    marks[13.1] = Mark(MarkKind.START, 5, "lift", "lift box 5")
    source = CellBag(seconds=15.0, marks=marks).write(tmp_path / "bag.mcap")
    report, found = imported(tmp_path, source)
    assert [episode.instruction for episode in found] == ["lift box 0", "lift box 3"]
    assert [episode.seed for episode in found] == [0, 3]
    assert all(episode.num_frames == 20 for episode in found)
    counts = report.counts
    assert (counts.failures, counts.discarded, counts.unfinished) == (1, 2, 1)
    assert (counts.episodes, counts.succeeded, counts.unmarked) == (2, 2, 1)
    # The grid of an episode begins at its start.
    assert np.allclose(found[0].state[0], position_at(0.5), atol=1e-6)


def test_failures_are_kept_as_failures_where_asked_for(tmp_path: Path) -> None:
    marks = episodes(MarkKind.SUCCESS, MarkKind.FAILURE)
    marks[5.45] = Mark(MarkKind.START, 2, "lift", "lift box 2")
    source = CellBag(seconds=8.0, marks=marks).write(tmp_path / "bag.mcap")
    _, found = imported(tmp_path, source, keep_failures=True)
    assert [episode.success for episode in found] == [True, False, False]


def test_a_long_episode_is_cut_and_shares_its_verdict(tmp_path: Path) -> None:
    marks = episodes(MarkKind.SUCCESS, MarkKind.FAILURE, length_s=4.0)
    source = CellBag(seconds=10.0, marks=marks).write(tmp_path / "bag.mcap")
    report, found = imported(tmp_path, source, max_episode_s=1.5)
    assert [episode.num_frames for episode in found][:2] == [15, 15]
    assert sum(episode.num_frames for episode in found) == report.counts.frames == 40
    assert report.counts.episodes == 1
    for begin, episode in zip((0.5, 2.0, 3.5), found, strict=True):
        assert np.allclose(episode.state[0], position_at(begin), atol=1e-6)
        assert np.allclose(episode.action[0], command_at(begin + 0.1), atol=1e-3)


def test_sent_trajectories_are_the_commands_where_no_state_is_there(tmp_path: Path) -> None:
    source = CellBag(seconds=3.0, commands="trajectory").write(tmp_path / "bag.mcap")
    report, (episode,) = imported(tmp_path, source)
    expected = np.stack([command_at(0.1 * (n + 1)) for n in range(4, 25)])
    assert np.abs(episode.action[4:25] - expected).max() < 0.02
    assert report.counts.from_states == 0


def test_without_commands_actions_are_measured_joints_and_that_is_said(tmp_path: Path) -> None:
    source = CellBag(seconds=2.0, commands="none").write(tmp_path / "bag.mcap")
    report, (episode,) = imported(tmp_path, source)
    assert np.array_equal(episode.action[:-1], episode.state[1:])
    assert report.counts.from_states == episode.action.size


def test_joint_names_are_mapped(tmp_path: Path) -> None:
    theirs = tuple(f"robot_{name}" for name in EMBEDDED_CELL.joint_names)
    source = CellBag(seconds=2.0, joint_names=theirs).write(tmp_path / "bag.mcap")
    with pytest.raises(RecordingError, match="joint names do not match: left_waist"):
        imported(tmp_path, source)
    names = tmp_path / "map.yaml"
    names.write_text("joints: {" + ", ".join(f"{n[6:]}: {n}" for n in theirs) + "}\n")
    settings = replace(SETTINGS, names=read_map(names))
    _, (episode,) = imported(tmp_path, source, settings)
    assert np.allclose(episode.action[3], command_at(0.4), atol=1e-3)


def test_a_topic_of_another_name_is_mapped_a_missing_one_is_named(tmp_path: Path) -> None:
    source = CellBag(seconds=2.0, without={"front/image_raw"}).write(tmp_path / "bag.mcap")
    with pytest.raises(RecordingError, match=r"no /front/image_raw; it has .*/overhead/image_raw"):
        imported(tmp_path, source)
    names = NameMap(topics={"front/image_raw": "/overhead/image_raw"})
    with pytest.raises(RecordingError, match="both camera 'overhead' and 'front'"):
        imported(tmp_path, source, replace(SETTINGS, names=names))
    other = CellBag(seconds=2.0, namespace="/robot").write(tmp_path / "other.mcap")
    names = NameMap(topics={"joint_states": "/robot/joint_states"})
    _, (episode,) = imported(tmp_path, other, replace(SETTINGS, names=names))
    assert episode.num_frames > 15


def seen_by(**changes: object) -> CellSettings:
    """Settings with another input of the camera `overhead`."""
    inputs = {**SETTINGS.inputs, "overhead": replace(SETTINGS.inputs["overhead"], **changes)}  # type: ignore[arg-type]
    return replace(SETTINGS, inputs=inputs)


def test_image_topics_are_those_of_the_parameters_and_the_map_renames_them(
    tmp_path: Path,
) -> None:
    named = {"overhead/image_raw": "top/color/image"}
    source = CellBag(seconds=2.0, namespace="/robot", topics=named).write(tmp_path / "bag.mcap")
    settings = seen_by(topic=CameraTopic("top/color/image"))
    _, (episode,) = imported(tmp_path / "a", source, settings)
    difference = np.abs(episode.images["overhead"][7].astype(int) - picture_at("overhead", 0.7))
    assert difference.mean() < 2
    with pytest.raises(RecordingError, match="no /robot/overhead/image_raw"):
        imported(tmp_path / "b", source)
    settings = seen_by(topic=CameraTopic("ceiling/image"))
    names = NameMap(topics={"ceiling/image": "top/color/image"})
    _, (mapped,) = imported(tmp_path / "c", source, replace(settings, names=names))
    assert np.array_equal(mapped.images["overhead"], episode.images["overhead"])


def test_a_camera_is_rectified_by_the_bag_s_camera_info_and_cropped(tmp_path: Path) -> None:
    """What is stored is what the camera's view makes of its pictures, as live."""
    window = Window(16, 12, 96, 72)
    settings = seen_by(window=window, rectify=True)
    plain = CellBag(seconds=2.0).write(tmp_path / "plain.mcap")
    with pytest.raises(RecordingError, match="no /overhead/camera_info"):
        imported(tmp_path / "a", plain, settings)
    bag = CellBag(seconds=2.0, lens=(1.5, 0.0, 0.0, 0.0, 0.0))
    report, (episode,) = imported(tmp_path / "b", bag.write(tmp_path / "bag.mcap"), settings)
    assert not report.notes
    view = settings.inputs["overhead"].view()
    infos = [m for m in bag.messages() if m[0] == "/overhead/camera_info"]
    view.calibrate(Calibration.of(STORE.deserialize_cdr(infos[0][3], infos[0][1])))
    expected = view.see(RawPicture.of_rgb(picture_at("overhead", 0.7))).astype(int)
    assert np.abs(episode.images["overhead"][7] - expected).mean() < 1
    assert np.abs(window.cut(picture_at("overhead", 0.7)) - expected).mean() > 2


def test_without_a_usable_camera_info_the_reason_is_named(tmp_path: Path) -> None:
    source = CellBag(seconds=2.0, lens=(0.1, 0.1, 0.1)).write(tmp_path / "bag.mcap")
    with pytest.raises(RecordingError, match=r"overhead: camera_info has 3 values .*\(20 times"):
        imported(tmp_path, source, seen_by(rectify=True))


def test_two_cameras_may_be_parts_of_one_picture(tmp_path: Path) -> None:
    source = CellBag(seconds=2.0, without={"front/image_raw"}).write(tmp_path / "bag.mcap")
    front = CameraInput(CameraTopic("overhead/image_raw"), 96, 128, Window(0, 16, 128, 64))
    settings = replace(SETTINGS, inputs={**SETTINGS.inputs, "front": front})
    _, (episode,) = imported(tmp_path, source, settings)
    difference = episode.images["overhead"][:, 16:80].astype(int) - episode.images["front"]
    assert np.abs(difference).mean() < 2


def test_a_damaged_picture_marks_its_frame_and_is_counted(tmp_path: Path) -> None:
    source = CellBag(seconds=3.0, compressed=True, damaged=(1.0, 1.5))
    report, (episode,) = imported(tmp_path, source.write(tmp_path / "bag.mcap"))
    assert np.flatnonzero(~episode.clean).tolist() == [10, 11, 12, 13, 14]
    assert sorted(report.notes) == [
        f"bag.mcap: 5 messages left out: {camera}: compressed image of format 'png' is damaged"
        for camera in ("front", "overhead")
    ]
    shown = episode.images["front"].astype(int)
    assert np.abs(shown[14] - shown[9]).mean() < 1


def test_only_pictures_that_become_frames_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    decode = CompressedPicture.decode
    monkeypatch.setattr(
        CompressedPicture, "decode", lambda self, w: decoded.append(self) or decode(self, w)
    )
    settings = replace(SETTINGS, spec=replace(SETTINGS.spec, frame_period_s=0.2))
    source = CellBag(seconds=6.0, compressed=True).write(tmp_path / "bag.mcap")
    _, (episode,) = imported(tmp_path, source, settings)
    assert len(decoded) == 2 * episode.num_frames == 60


def test_nan_in_joint_states_marks_frames_and_is_counted(tmp_path: Path) -> None:
    source = CellBag(seconds=3.0, nan_joints=(1.0, 1.5)).write(tmp_path / "bag.mcap")
    report, (episode,) = imported(tmp_path, source)
    assert report.notes == [
        "bag.mcap: 25 messages left out: joint_states: not finite: left_forearm_roll"
    ]
    assert not episode.clean[11:14].any()
    assert episode.clean[:9].all()
    assert report.counts.marked == np.count_nonzero(~episode.clean)


def test_images_of_another_size_are_counted_with_both_sizes(tmp_path: Path) -> None:
    source = CellBag(seconds=2.0).write(tmp_path / "bag.mcap")
    inputs = {**SETTINGS.inputs, "front": replace(SETTINGS.inputs["front"], height=32, width=64)}
    with pytest.raises(RecordingError, match=r"64x128x3, configured is uint8 32x64x3 \(20 times"):
        imported(tmp_path, source, replace(SETTINGS, inputs=inputs))
    assert not (tmp_path / "dataset").exists()


def test_a_cut_bag_gives_the_frames_up_to_the_break_and_says_where(tmp_path: Path) -> None:
    source = CellBag(seconds=6.0).write(tmp_path / "bag.mcap")
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2])
    report, (episode,) = imported(tmp_path, source)
    assert 26 <= episode.num_frames <= 31
    assert np.allclose(episode.state[20], position_at(2.0), atol=1e-6)
    assert any("damaged at byte" in note for note in report.notes)


def test_nothing_to_keep_says_why(tmp_path: Path) -> None:
    source = CellBag(seconds=4.0, marks=episodes(MarkKind.FAILURE)).write(tmp_path / "bag.mcap")
    with pytest.raises(RecordingError, match="no episode can be kept: 1 failed"):
        imported(tmp_path, source)
    silent = CellBag(seconds=2.0, instruction="").write(tmp_path / "silent.mcap")
    with pytest.raises(RecordingError, match="1 without an instruction"):
        imported(tmp_path, silent)
    _, (episode,) = imported(tmp_path, silent, instruction="wave", task="wave")
    assert (episode.instruction, episode.task) == ("wave", "wave")


def test_a_dataset_that_is_there_is_not_touched(tmp_path: Path) -> None:
    source = CellBag(seconds=2.0).write(tmp_path / "bag.mcap")
    imported(tmp_path, source)
    with pytest.raises(RecordingError, match="holds a dataset already"):
        imported(tmp_path, source)


def test_model_resolution_stores_what_the_model_sees_and_training_opens_it(
    tmp_path: Path,
) -> None:
    source = CellBag(seconds=4.0, marks=episodes(MarkKind.SUCCESS)).write(tmp_path / "bag.mcap")
    output = tmp_path / "dataset"
    form = DatasetForm(as_model=True)
    import_recordings([source, source], output, SETTINGS, ReplayOptions(), form)
    store = EpisodeStore.open([output], EMBEDDED_CELL, workers=1)
    assert len(store) == 2
    assert store.gather_frames(store.starts).shape == (2, 80, 64, 3)


def test_the_defaults_are_those_of_the_nodes() -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
    from dva_ros.nodes.camera_context import CameraContextParameters
    from dva_ros.ros.cell_spec import SpecParameters

    node = CameraContextParameters()
    assert SpecParameters().spec() == SETTINGS.spec
    assert node.inputs(SpecParameters().cameras) == SETTINGS.inputs
    limits = SETTINGS.limits
    assert (node.tolerance_s, node.max_delay_s) == (limits.tolerance_s, limits.max_delay_s)
    assert node.future_tolerance_s == limits.future_tolerance_s
    assert (node.lost_after_s, node.frozen_motion_rad) == (
        limits.lost_after_s, limits.frozen_motion,
    )  # fmt: skip


def test_settings_come_from_the_nodes_parameters_file(tmp_path: Path) -> None:
    assert read_settings(config_path("cell")) == SETTINGS
    path = tmp_path / "robot.yaml"
    path.write_text(
        "robot:\n"
        "  camera_context:\n"
        "    ros__parameters:\n"
        "      cameras: [top]\n      mosaic_heights: [48]\n"
        "      native_heights: [480]\n      native_widths: [640]\n"
        "      image_topics: [cam/color/image]\n      transports: [compressed]\n"
        "      crop: [80, 0, 480, 480]\n      rectify: [true]\n"
        "      joints: [a, b]\n      tolerance_s: 0.03\n"
        "/**/leapfrog_scheduler:\n"
        "  ros__parameters:\n    controllers: [arm, hand]\n"
    )
    settings = read_settings(path)
    assert settings.spec.joint_names == ("a", "b")
    assert settings.inputs == {
        "top": CameraInput(
            CameraTopic("cam/color/image", compressed=True),
            480,
            640,
            window=Window(80, 0, 480, 480),
            rectify=True,
        )
    }
    assert settings.limits.tolerance_s == 0.03
    assert settings.controllers == ("arm", "hand")
    path.write_text("camera_context: {ros__parameters: {cameras: [a, b, c]}}")
    with pytest.raises(RecordingError, match="do not fit together"):
        read_settings(path)
    path.write_text("topics: [a]")
    with pytest.raises(RecordingError, match="must hold NAME: NAME"):
        read_map(path)


def section(*controllers: str) -> dict[str, object]:
    return {"ros__parameters": {"controllers": list(controllers)}}


@pytest.mark.parametrize(
    "file, controllers",
    [
        ({"/**/leapfrog_scheduler": section("arm", "hand")}, ["arm", "hand"]),
        ({"/**": section("all")}, ["all"]),
        ({"/**": section("all"), "robot": {"leapfrog_scheduler": section("arm")}}, ["arm"]),
        ({"recorder": section("mine"), "/**": section("all")}, None),
        ({"/**/recorder": {"ros__parameters": {"task": "lift"}}, "/**": section("all")}, ["all"]),
        ({"/**/video_predictor": section("no")}, None),
    ],
)
def test_the_recorder_has_the_schedulers_controllers_but_for_its_own_section(
    file: dict[str, object], controllers: list[str] | None, tmp_path: Path
) -> None:
    """None: nothing is said over what the file gives the recorder itself, or its default."""
    path = tmp_path / "robot.yaml"
    path.write_text(yaml.safe_dump(file))
    assert recorder_parameters(path).get("controllers") == controllers


def test_what_the_recorders_own_section_says_of_cameras_and_states_stays(tmp_path: Path) -> None:
    path = tmp_path / "robot.yaml"
    scheduler = "/**/leapfrog_scheduler: {ros__parameters: {controller_state_type: a/B}}\n"
    path.write_text(scheduler)
    assert recorder_parameters(path) == {
        "image_topics": ["overhead/image_raw", "front/image_raw"],
        "transports": ["raw", "raw"],
        "controller_state_type": "a/B",
    }
    path.write_text(scheduler + "/**/recorder: {ros__parameters: {image_topics: [a, b]}}\n")
    assert recorder_parameters(path) == {
        "transports": ["raw", "raw"],
        "controller_state_type": "a/B",
    }


def test_what_was_recorded_late_is_used_but_for_as_live(tmp_path: Path) -> None:
    """A busy machine hears its cameras late; the recording still has all that they showed."""
    source = CellBag(seconds=3.0, image_delay_s=0.2).write(tmp_path / "bag.mcap")
    _, (episode,) = imported(tmp_path, source)
    # At both ends there are joints without pictures, or pictures without joints.
    assert episode.clean[3:-3].all()
    assert np.allclose(episode.state[9], position_at(0.7), atol=1e-6)
    difference = np.abs(episode.images["front"][9].astype(int) - picture_at("front", 0.7))
    assert difference.mean() < 2
    _, (live,) = imported(tmp_path / "live", source, patience_s=0.0)
    assert not live.clean.any()

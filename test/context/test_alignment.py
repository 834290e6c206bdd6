"""Cameras and joints on the grid: what is marked, refused, counted, and when frames come."""

from __future__ import annotations

import numpy as np
import pytest

from dva_ros.context.alignment import ContextAligner
from dva_ros.context.frame import ContextFrame
from dva_ros.context.ring import Arrival
from dva_ros.spec import CameraSpec, CellSpec

SPEC = CellSpec(
    cameras=(CameraSpec("overhead", 8, 16), CameraSpec("front", 8, 16)),
    joint_names=("left_waist", "left_gripper"),
)
NATIVE = {"overhead": (16, 32), "front": (16, 32)}
START = 1000.0


class Rig:
    """Two cameras at 10 Hz and joints at 100 Hz, with faults on demand."""

    def __init__(self) -> None:
        self.aligner = ContextAligner(SPEC, NATIVE)
        self.aligner.clear("go", START)
        self.frames: list[ContextFrame] = []
        self.tick = 0
        self.motion_per_tick = 0.01

    def image(self, level: int, shape: tuple[int, ...] = (16, 32, 3)) -> np.ndarray:
        return np.full(shape, level % 256, np.uint8)

    def run(self, ticks: int, without: tuple[str, ...] = (), frozen: tuple[str, ...] = ()) -> None:
        for _ in range(ticks):
            now = START + self.tick * 0.01
            if "joint_states" not in without:
                self.joints(now)
            if self.tick % 10 == 0:
                for camera in NATIVE:
                    if camera not in without:
                        level = 7 if camera in frozen else self.tick
                        self.aligner.add_image(camera, now, self.image(level), now)
            self.frames += self.aligner.poll(now)
            self.tick += 1

    def joints(self, now: float) -> None:
        position = np.array([self.tick * self.motion_per_tick, 0.02])
        self.aligner.add_joints(now, SPEC.joint_names, position, position * 0, now)

    @property
    def now(self) -> float:
        return START + self.tick * 0.01


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_every_grid_time_gives_one_good_frame_in_order(rig: Rig) -> None:
    rig.run(100)
    assert [frame.index for frame in rig.frames] == list(range(10))
    assert all(frame.good and frame.instruction == "go" for frame in rig.frames)
    assert rig.frames[3].stamp == pytest.approx(START + 0.3)
    assert rig.frames[3].position[0] == pytest.approx(0.3)
    assert (rig.frames[3].mosaic == 30).all()


def test_a_frame_comes_with_its_last_sample_not_at_a_deadline(rig: Rig) -> None:
    rig.run(41)
    assert rig.frames[-1].index == 4


def test_a_missing_camera_is_marked_counted_named_and_keeps_its_last_image(rig: Rig) -> None:
    rig.run(50)
    rig.run(100, without=("front",))
    marked = rig.frames[-1]
    assert marked.camera_missing == (False, True)
    assert not marked.good
    assert marked.camera_age_s[1] > 0.9
    assert (marked.mosaic[8:] == 40).all()
    assert rig.aligner.counts.camera_missing["front"] >= 8
    assert "no new image" in rig.aligner.problems(rig.now)["front"]
    assert "overhead" not in rig.aligner.problems(rig.now)


def test_a_frozen_picture_is_a_fault_while_the_arms_move(rig: Rig) -> None:
    rig.run(150, frozen=("overhead",))
    assert "frozen" in rig.aligner.problems(rig.now)["overhead"]
    assert rig.frames[-1].camera_missing == (True, False)
    rig.run(20)
    assert rig.frames[-1].good


def test_an_unchanging_picture_of_a_still_robot_is_no_fault(rig: Rig) -> None:
    rig.motion_per_tick = 0.0
    rig.run(150, frozen=("overhead", "front"))
    assert rig.aligner.problems(rig.now) == {}


def test_joint_states_that_come_late_do_not_make_a_still_picture_frozen(rig: Rig) -> None:
    """The arms stop, and so does the picture; joint states of the motion before come half a second
    later. Judged by arrival, the camera counted as frozen, and the robot held for good."""
    late: list[tuple[float, np.ndarray]] = []
    for tick in range(300):
        now = START + tick * 0.01
        position = np.array([0.02 * min(tick, 100), 0.02])
        late.append((now, position))
        if tick < 60:
            rig.aligner.add_joints(now, SPEC.joint_names, position, position * 0, now)
        elif tick >= 110:
            stamp, before = late[tick - 50]
            rig.aligner.add_joints(stamp, SPEC.joint_names, before, before * 0, now)
        if tick % 10 == 0:
            for camera in NATIVE:
                rig.aligner.add_image(camera, now, rig.image(min(tick, 100)), now)
        rig.aligner.poll(now)
        assert "frozen" not in str(rig.aligner.problems(now))


def test_an_image_of_another_size_is_refused_with_both_sizes(rig: Rig) -> None:
    rig.run(20)
    rig.aligner.add_image("front", rig.now, rig.image(1, (24, 32, 3)), rig.now)
    assert "24x32x3" in rig.aligner.problems(rig.now)["front"]
    assert "16x32x3" in rig.aligner.problems(rig.now)["front"]


def test_nan_in_joint_states_names_the_joint_and_marks_frames(rig: Rig) -> None:
    rig.run(20)
    for _ in range(30):
        rig.aligner.add_joints(
            rig.now, SPEC.joint_names, np.array([0.1, np.nan]), np.zeros(2), rig.now
        )
        rig.run(1, without=("joint_states",))
    assert rig.aligner.problems(rig.now)["joint_states"] == "not finite: left_gripper"
    assert rig.frames[-1].joints_missing
    assert np.isfinite(rig.frames[-1].position).all()


def test_wrong_joint_names_are_named(rig: Rig) -> None:
    rig.aligner.add_joints(rig.now, ("elbow",), np.zeros(1), np.zeros(1), rig.now)
    assert "left_waist, left_gripper missing" in rig.aligner.problems(rig.now)["joint_states"]


def test_joints_may_come_in_another_order_and_with_others(rig: Rig) -> None:
    names = ("extra", "left_gripper", "left_waist")
    for camera in NATIVE:
        rig.aligner.add_image(camera, START, rig.image(1), START)
    rig.aligner.add_joints(START, names, np.array([9.0, 0.03, 0.5]), np.zeros(3), START)
    frame = rig.aligner.poll(START)[0]
    assert frame.position == pytest.approx([0.5, 0.03])


def test_duplicate_stamps_are_counted_and_change_nothing(rig: Rig) -> None:
    rig.run(11)
    rig.aligner.add_image("front", START + 0.1, rig.image(200), rig.now)
    assert rig.aligner.arrivals("front")[Arrival.DUPLICATE] == 1
    rig.run(20)
    assert all((frame.mosaic[8:] != 200).all() for frame in rig.frames)


def test_clearing_begins_a_session_without_the_past(rig: Rig) -> None:
    rig.run(30)
    session = rig.aligner.clear("again", rig.now)
    rig.run(30)
    newest = rig.frames[-1]
    assert newest.session == session
    assert newest.instruction == "again"
    assert newest.index < 5
    assert len(rig.aligner.frames) == newest.index + 1


def test_a_clock_that_jumps_back_begins_a_session(rig: Rig) -> None:
    rig.run(30)
    before = rig.aligner.session
    rig.tick = 5
    rig.run(30)
    assert rig.aligner.session == before + 1
    assert "jumped back" in rig.aligner.restart_reason
    assert rig.frames[-1].session == before + 1
    assert rig.frames[-1].good


def test_no_frame_before_every_source_was_heard(rig: Rig) -> None:
    rig.run(50, without=("front",))
    assert rig.frames == []
    assert rig.aligner.problems(rig.now)["front"] == "no image yet"


def test_only_the_newest_frames_are_remembered() -> None:
    rig = Rig()
    rig.aligner = ContextAligner(SPEC, NATIVE, capacity=5)
    rig.aligner.clear("go", START)
    rig.run(200)
    assert [frame.index for frame in rig.aligner.frames] == list(range(15, 20))


@pytest.mark.parametrize("phase_ms", [*range(0, 100, 5), 47, 49, 51, 53])
@pytest.mark.parametrize("transit", [12, 35])
def test_cameras_of_any_phase_are_not_missing(phase_ms: int, transit: int) -> None:
    """A camera that slips against the grid, by a busy simulator or a clock of its own, stays in
    the context: whatever its phase, one of its images is near enough and comes in time."""
    aligner = ContextAligner(SPEC, NATIVE)
    aligner.clear("go", START)
    frames, slip = [], 300
    for ms in range(2000):
        now = START + 0.001 * ms
        if ms % 10 == 0:
            aligner.add_joints(now, SPEC.joint_names, np.full(2, 0.02), np.zeros(2), now)
        taken = ms - transit
        phase = 0 if taken < slip else phase_ms
        if taken >= 0 and (taken - phase) % 100 == 0:
            for camera in NATIVE:
                image = np.full((16, 32, 3), ms % 256, np.uint8)
                aligner.add_image(camera, START + 0.001 * taken, image, now)
        frames += aligner.poll(now)
    after = [frame for frame in frames if frame.stamp > START + 0.001 * slip + 0.15]
    assert len(after) >= 14
    assert not any(any(frame.camera_missing) for frame in after)

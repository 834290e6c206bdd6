"""Cameras and joints, resampled onto the time grid."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..spec import CellSpec
from .camera_view import CameraView
from .frame import ContextFrame
from .grid import TimeGrid
from .mosaic import compose_mosaic
from .picture import Picture
from .ring import Arrival, StampedRing
from .sources import CameraSource, JointSample, JointSource, SourceLimits


@dataclass
class AlignmentCounts:
    """What happened since the start, for diagnostics."""

    frames: int = 0
    frames_marked: int = 0
    sessions: int = 0
    camera_missing: dict[str, int] = field(default_factory=dict)
    joints_missing: int = 0


class ContextAligner:
    """Takes images and joint states as they come, gives grid frames in order.

    A session begins with the first image of the first camera after `clear`, and its stamp is
    the origin of the grid, so that frames follow the camera's phase. A frame is given as soon
    as no nearer sample can be expected, at the latest `max_delay_s` after its grid time. A
    source that has nothing within `tolerance_s` is marked and repeats its last sample. A clock
    that runs backwards, or a gap longer than `max_gap_s`, begins a new session.

    Args:
        spec: cameras, joints and grid period.
        native_sizes: camera name to (rows, columns) of the images that it sends.
        limits: when a source counts as faulty.
        capacity: frames remembered for a predictor that joins later.
        first_session: id of the first session; later ones count up from it.
        max_gap_s: greatest jump of the clock within a session.
        views: camera name to what of its pictures goes on; without one, all of it.
        observer: is shown every frame with the cameras' own pictures that it was made of.
    """

    def __init__(
        self,
        spec: CellSpec,
        native_sizes: Mapping[str, tuple[int, int]],
        limits: SourceLimits | None = None,
        capacity: int = 512,
        first_session: int = 1,
        max_gap_s: float = 5.0,
        views: Mapping[str, CameraView] | None = None,
        observer: Callable[[ContextFrame, Mapping[str, np.ndarray]], object] | None = None,
    ) -> None:
        limits = limits or SourceLimits()
        views = views or {}
        self.spec = spec
        self.limits = limits
        self.cameras = {
            camera.name: CameraSource(
                camera.name,
                views.get(camera.name) or CameraView(*native_sizes[camera.name]),
                limits,
            )
            for camera in spec.cameras
        }
        self.joints = JointSource(spec.joint_names, limits)
        self.counts = AlignmentCounts(camera_missing=dict.fromkeys(self.cameras, 0))
        self.frames: deque[ContextFrame] = deque(maxlen=capacity)
        self.session = first_session - 1
        self.instruction = ""
        self.restart_reason = ""
        self._max_gap_s = max_gap_s
        self._observer = observer
        self._now = float("-inf")
        self._grid: TimeGrid | None = None
        self._next_index = 0
        self._earliest_origin = float("-inf")
        self._arm = ~spec.is_gripper
        self.clear("", float("-inf"))

    def clear(self, instruction: str, now: float, reason: str = "cleared") -> int:
        """Begin a new session; samples stamped before `now` are forgotten. Gives its id."""
        self.session += 1
        self.counts.sessions += 1
        self.instruction = instruction
        self.restart_reason = reason
        self.frames.clear()
        self._grid = None
        self._next_index = 0
        self._earliest_origin = now
        for camera in self.cameras.values():
            camera.clear()
        self.joints.clear()
        return self.session

    def add_image(
        self, camera: str, stamp: float, image: np.ndarray | Picture, now: float
    ) -> bool:
        """Take a picture of the camera's native size; an array is uint8 RGB [rows, columns, 3].
        False where it is none that can be used; the camera's `problem` says why."""
        self._watch_clock(now)
        if stamp < self._earliest_origin:
            return True
        return self.cameras[camera].add(stamp, image, self._posture(stamp), now) is not None

    def _posture(self, stamp: float) -> np.ndarray | None:
        """The arms when an image was taken; None where that is not known. Joint states that come
        late must not look like motion behind a picture that stands."""
        joints = self.joints.ring.nearest(stamp)
        if joints is None or abs(joints.stamp - stamp) > self.limits.tolerance_s:
            return None
        position: np.ndarray = joints.value.position
        return position[self._arm]

    def add_joints(
        self,
        stamp: float,
        names: Sequence[str],
        position: np.ndarray,
        velocity: np.ndarray,
        now: float,
    ) -> None:
        """Take a joint state; see `JointSource.add`."""
        self._watch_clock(now)
        self.joints.add(stamp, names, position, velocity, now)

    def poll(self, now: float) -> list[ContextFrame]:
        """The frames that are complete now, in order."""
        self._watch_clock(now)
        if self._grid is None and not self._begin(now):
            return []
        grid = self._grid
        assert grid is not None
        ready = []
        while (time := grid.time(self._next_index)) <= now + self.limits.settle_s:
            overdue = now >= time + self.limits.max_delay_s
            if not overdue and not self._settled(time):
                self._look_ahead(time)
                break
            ready.append(self._assemble(self._next_index, time))
            self._next_index += 1
        return ready

    def problems(self, now: float) -> dict[str, str]:
        """Faulty sources by name (`joint_states` for the joints) and what is wrong."""
        found = {name: camera.problem(now) for name, camera in self.cameras.items()}
        found["joint_states"] = self.joints.problem(now)
        return {name: problem for name, problem in found.items() if problem is not None}

    def heard(self, source: str) -> bool:
        """Whether the source has given a usable sample in this session."""
        return self._ring(source).newest is not None

    def arrivals(self, source: str) -> dict[Arrival, int]:
        """How many samples of a source (a camera or `joint_states`) met which fate."""
        return dict(self._ring(source).counts)

    def _ring(self, source: str) -> StampedRing[Any]:
        return self.joints.ring if source == "joint_states" else self.cameras[source].ring

    def _begin(self, now: float) -> bool:
        sources = [camera.ring for camera in self.cameras.values()]
        if self.joints.ring.newest is None or not all(len(ring) for ring in sources):
            return False
        newest = [sample.stamp for ring in sources if (sample := ring.newest)]
        origin = newest[0]
        if max(newest) - min(newest) > self.spec.frame_period_s:
            return False
        self._grid = TimeGrid(origin, self.spec.frame_period_s)
        return origin <= now + self.limits.settle_s

    def _settled(self, time: float) -> bool:
        slack = self.limits.settle_s
        cameras = self.cameras.values()
        return self.joints.ring.settled(time, slack) and all(
            camera.ring.settled(time, slack) for camera in cameras
        )

    def _look_ahead(self, time: float) -> None:
        """Decode what is settled while another source is waited for: less is left to do then."""
        for camera in self.cameras.values():
            sample = camera.ring.nearest(time)
            if sample is not None and camera.ring.settled(time, self.limits.settle_s):
                camera.pixels(sample)

    def _assemble(self, index: int, time: float) -> ContextFrame:
        images, missing, ages = {}, [], []
        for name, camera in self.cameras.items():
            sample = camera.ring.nearest(time)
            assert sample is not None, "a session begins only once every source has a sample"
            images[name], whole = camera.pixels(sample)
            late = abs(sample.stamp - time) > self.limits.tolerance_s
            absent = late or camera.frozen or not whole
            missing.append(absent)
            ages.append(time - sample.stamp)
            self.counts.camera_missing[name] += absent
        joints = self.joints.ring.nearest(time)
        assert joints is not None
        joints_missing = abs(joints.stamp - time) > self.limits.tolerance_s
        frame = self._frame(index, time, images, missing, ages, joints.value, joints_missing)
        self.counts.frames += 1
        self.counts.frames_marked += not frame.good
        self.counts.joints_missing += joints_missing
        self.frames.append(frame)
        if self._observer is not None:
            self._observer(frame, images)
        return frame

    def _frame(
        self,
        index: int,
        time: float,
        images: Mapping[str, np.ndarray],
        missing: Sequence[bool],
        ages: Sequence[float],
        joints: JointSample,
        joints_missing: bool,
    ) -> ContextFrame:
        return ContextFrame(
            session=self.session,
            index=index,
            stamp=time,
            mosaic=compose_mosaic(images, self.spec),
            position=joints.position,
            velocity=joints.velocity,
            camera_missing=tuple(missing),
            camera_age_s=tuple(ages),
            joints_missing=joints_missing,
            instruction=self.instruction,
        )

    def _watch_clock(self, now: float) -> None:
        step = now - self._now
        if step < -self.limits.future_tolerance_s:
            self.clear(self.instruction, now, f"the clock jumped back by {-step:.3f} s")
        elif step > self._max_gap_s and self._grid is not None:
            self.clear(self.instruction, now, f"the clock jumped ahead by {step:.3f} s")
        self._now = now

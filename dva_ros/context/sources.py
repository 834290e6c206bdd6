"""What one camera, or the joint states, delivered lately, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .camera_view import Calibration, CameraView
from .image_decoding import ImageError
from .picture import Picture, RawPicture
from .ring import Arrival, Sample, StampedRing

_SAMPLE_STEP = 997


@dataclass(frozen=True)
class SourceLimits:
    """When a source counts as faulty.

    Attributes:
        tolerance_s: greatest distance of a sample from the grid time that it stands for. More
            than half a period of the camera: the image before serves where the one after, just
            as near, comes too late.
        max_delay_s: how long after its grid time a frame waits for a source. More than a period
            less `tolerance_s` and the way of an image together: a camera that has slipped would
            be missing in every frame.
        settle_s: a sample this near to the grid time is taken without waiting for a nearer one.
        future_tolerance_s: how far a stamp may lie ahead of the clock.
        max_age_s: older samples are dropped on arrival.
        lost_after_s: silence after which a source is an error.
        frozen_motion: arm motion (rad) during which a live camera's picture must change.
        frozen_images: identical pictures in a row before a camera can count as frozen.
        capacity: samples kept per source.
    """

    tolerance_s: float = 0.06
    max_delay_s: float = 0.08
    settle_s: float = 0.006
    future_tolerance_s: float = 0.02
    max_age_s: float = 1.0
    lost_after_s: float = 0.5
    frozen_motion: float = 0.2
    frozen_images: int = 3
    capacity: int = 64


class CameraSource:
    """The recent pictures of one camera; only what becomes a frame is decoded.

    Args:
        name: camera name.
        view: size of the pictures, and what of them goes on.
        limits: when it counts as faulty.

    Attributes:
        damaged: pictures that a frame needed and that cannot be decoded, by reason.
        frozen: its picture stands while the arms move.
    """

    def __init__(self, name: str, view: CameraView, limits: SourceLimits) -> None:
        self.name = name
        self.view = view
        self.ring: StampedRing[Picture] = StampedRing(
            limits.capacity, limits.future_tolerance_s, limits.max_age_s
        )
        self._limits = limits
        self._refusal: str | None = None
        self._uncalibrated = "no camera_info yet: rectify needs it"
        self._damage: str | None = None
        self._identical = 0
        self._posture: np.ndarray | None = None
        self._seen: Picture | None = None
        self._image = np.zeros((*view.size, 3), np.uint8)
        self.damaged: Counter[str] = Counter()
        self.frozen = False

    def clear(self) -> None:
        """Forget the images; a fault that is still there shows again."""
        self.ring.clear()
        self._identical = 0
        self._posture = None

    def calibrate(self, info: Any) -> None:
        """Rectify by this from now on, an object with the fields of a ``CameraInfo``. Where it
        cannot be used, that is the camera's fault: no picture is taken until a good one."""
        try:
            self.view.calibrate(Calibration.of(info))
        except ImageError as error:
            self._uncalibrated = str(error)
            self.view.forget_calibration()
            self.refuse(self._uncalibrated)

    def refuse(self, reason: str) -> None:
        """Note that an image could not be used; the next good one clears it."""
        self._refusal = reason

    def add(
        self, stamp: float, image: np.ndarray | Picture, posture: np.ndarray | None, now: float
    ) -> Arrival | None:
        """Take a picture; None when it was refused for its size or type.

        Args:
            stamp: seconds on the robot's clock.
            image: a picture as the camera sends it, or uint8 RGB [height, width, 3].
            posture: joint positions measured at the stamp, for telling a frozen picture from a
                still robot; None while unknown.
            now: the clock.
        """
        try:
            picture = RawPicture.of_rgb(image) if isinstance(image, np.ndarray) else image
        except ImageError as error:
            self.refuse(str(error))
            return None
        if (picture.height, picture.width) != (self.view.height, self.view.width):
            self.refuse(
                f"image is uint8 {picture.height}x{picture.width}x3, "
                f"configured is uint8 {self.view.height}x{self.view.width}x3"
            )
            return None
        if self.view.waits_for_calibration:
            self.refuse(self._uncalibrated)
            return None
        previous = self.ring.newest
        arrival = self.ring.insert(stamp, picture, now)
        if arrival is Arrival.ACCEPTED:
            self._refusal = None
            self._watch_change(previous.value if previous else None, picture, posture)
        elif arrival is Arrival.FUTURE:
            self.refuse(f"stamp lies {stamp - now:.3f} s in the future")
        elif arrival is Arrival.LATE:
            self.refuse(f"image arrived {now - stamp:.3f} s after its stamp")
        return arrival

    def problem(self, now: float) -> str | None:
        """What is wrong now, or None."""
        newest = self.ring.newest
        silent = newest is None or now - newest.stamp > self._limits.lost_after_s
        if self._refusal is not None:
            return self._refusal
        if self._damage is not None:
            return self._damage
        if newest is None:
            return "no image yet"
        if silent:
            return f"no new image for {now - newest.stamp:.1f} s"
        if self.frozen:
            return f"picture frozen: {self._identical + 1} identical images while the arms moved"
        return None

    def pixels(self, sample: Sample[Picture]) -> tuple[np.ndarray, bool]:
        """uint8 RGB [*view.size, 3] of a sample, and whether it is that sample's: in place of
        one that cannot be decoded stands the last one that could, at first black."""
        if sample.value is not self._seen:
            self._seen = sample.value
            try:
                self._image, self._damage = self.view.see(sample.value), None
            except ImageError as error:
                self._damage = str(error)
                self.damaged[self._damage] += 1
        return self._image, self._damage is None

    def _watch_change(
        self, previous: Picture | None, picture: Picture, posture: np.ndarray | None
    ) -> None:
        if previous is None or not _same(previous.data, picture.data):
            self._identical, self._posture, self.frozen = 0, posture, False
            return
        self._identical += 1
        if self._posture is None:
            self._posture = posture
        elif posture is not None and self._identical >= self._limits.frozen_images:
            motion = float(np.max(np.abs(posture - self._posture), initial=0.0))
            self.frozen = self.frozen or motion > self._limits.frozen_motion


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether all bytes are the same. Some are compared before all: where pictures change, most of
    the time is saved."""
    sample = slice(None, None, _SAMPLE_STEP)
    return np.array_equal(a[sample], b[sample]) and np.array_equal(a, b)


@dataclass(frozen=True)
class JointSample:
    """Measured joints: float32 [joints] positions and velocities."""

    position: np.ndarray
    velocity: np.ndarray


class JointSource:
    """The recent joint states, in the spec's order.

    Args:
        names: the spec's joint names.
        limits: when it counts as faulty.
    """

    def __init__(self, names: Sequence[str], limits: SourceLimits) -> None:
        self._names = tuple(names)
        self._limits = limits
        self._refusal: str | None = None
        self._order_of: tuple[str, ...] = ()
        self._order: np.ndarray = np.empty(0, np.intp)
        self.ring: StampedRing[JointSample] = StampedRing(
            limits.capacity, limits.future_tolerance_s, limits.max_age_s
        )

    def clear(self) -> None:
        """Forget the samples."""
        self.ring.clear()

    def add(
        self,
        stamp: float,
        names: Sequence[str],
        position: np.ndarray,
        velocity: np.ndarray,
        now: float,
    ) -> Arrival | None:
        """Take a joint state; None when it was refused for its names or values.

        Args:
            stamp: seconds on the robot's clock.
            names: of the entries; more joints than the spec's are allowed, in any order.
            position: float [len(names)], rad (m for grippers).
            velocity: float [len(names)] per second, or empty where not measured.
            now: the clock.
        """
        order = self._find_order(tuple(names))
        if order is None:
            return None
        if len(position) != len(names) or len(velocity) not in (0, len(names)):
            self._refusal = (
                f"{len(names)} names, {len(position)} positions, {len(velocity)} velocities"
            )
            return None
        chosen = np.asarray(position, np.float32)[order]
        rates = np.asarray(velocity, np.float32)[order] if len(velocity) else chosen * 0
        bad = ~(np.isfinite(chosen) & np.isfinite(rates))
        if bad.any():
            culprits = ", ".join(n for n, b in zip(self._names, bad, strict=True) if b)
            self._refusal = f"not finite: {culprits}"
            return None
        arrival = self.ring.insert(stamp, JointSample(chosen, rates), now)
        if arrival is Arrival.ACCEPTED:
            self._refusal = None
        elif arrival is Arrival.FUTURE:
            self._refusal = f"stamp lies {stamp - now:.3f} s in the future"
        elif arrival is Arrival.LATE:
            self._refusal = f"joint state arrived {now - stamp:.3f} s after its stamp"
        return arrival

    def problem(self, now: float) -> str | None:
        """What is wrong now, or None."""
        newest = self.ring.newest
        if self._refusal is not None:
            return self._refusal
        if newest is None:
            return "no joint state yet"
        if now - newest.stamp > self._limits.lost_after_s:
            return f"no new joint state for {now - newest.stamp:.1f} s"
        return None

    def _find_order(self, names: tuple[str, ...]) -> np.ndarray | None:
        if names == self._order_of:
            return self._order
        missing = [name for name in self._names if name not in names]
        if missing:
            self._refusal = (
                f"joint names do not match: {', '.join(missing)} missing; got {', '.join(names)}"
            )
            return None
        self._order = np.array([names.index(name) for name in self._names], np.intp)
        self._order_of = names
        return self._order

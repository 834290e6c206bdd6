"""Checks the cameras of a running cell: present, right size, fast enough, in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..context.image_decoding import ImageError
from ..new_cell.findings import ImageTopic, LiveCell, Timing
from ..spec import CellSpec
from .check import RATE_TOLERANCE, Check, Status, judged

if TYPE_CHECKING:
    from ..nodes.camera_context import CameraContextParameters

LATE_REMEDY = (
    "a faster way (compressed images, less load), or max_delay_s of {:.2f} and stale_timeout_s "
    "above it"
)


def camera_checks(
    context: CameraContextParameters, spec: CellSpec, live: LiveCell
) -> Iterator[Check]:
    """Each camera of the configuration, with a remedy for each problem."""
    names = [camera.name for camera in spec.cameras]
    images = {image.topic: image for image in live.images}
    try:
        inputs = context.inputs(names)
    except (ValueError, ImageError):
        return  # reported by `configuration_section`
    for name, given in inputs.items():
        topic = given.topic.images
        image = images.get(topic.removeprefix("/"))
        if image is None:
            others = ", ".join(images) or "none"
            yield Check(
                f"camera {name}",
                Status.MISSING,
                f"nothing publishes {topic}; image topics: {others}",
                remedy="start its driver, or set image_topics",
            )
            continue
        yield from _camera(name, image, (given.height, given.width), context, spec.frame_period_s)


def _camera(
    name: str,
    image: ImageTopic,
    size: tuple[int, int],
    context: CameraContextParameters,
    frame_period_s: float,
) -> Iterator[Check]:
    label, timing = f"camera {name}", image.timing
    if timing is None:
        yield Check(label, Status.MISSING, f"no images on {image.topic}", remedy="see its driver")
        return
    found = f"{image.topic}: {image.width}x{image.height} {image.encoding}, {timing.describe()}"
    problems = []
    if image.fault:
        problems.append((image.fault, "set the encoding in the driver"))
    if (image.height, image.width) != size:
        problems.append(
            (
                f"images are {image.width}x{image.height}, configured is {size[1]}x{size[0]}",
                "set native_heights and native_widths, or the driver",
            )
        )
    if image.publishers > 1:
        problems.append((f"{image.topic} has {image.publishers} publishers", "stop the others"))
    problems += _camera_timing(timing, context, frame_period_s)
    yield from judged(label, problems, found)
    if not problems:
        yield from _late_at_times(label, timing, context)


def _late_at_times(
    label: str, timing: Timing, context: CameraContextParameters
) -> Iterator[Check]:
    worst = max(0.0, 1 / timing.rate_hz - context.tolerance_s) + timing.latency_p99_s
    if worst > context.max_delay_s:
        yield Check(
            label,
            Status.OPTIONAL,
            f"now and then {worst:.3f} s after its grid time (latency p99), max_delay_s is "
            f"{context.max_delay_s} s: such a frame is marked as missing",
            remedy=LATE_REMEDY.format(worst + 0.03),
        )


def _camera_timing(
    timing: Timing, context: CameraContextParameters, frame_period_s: float
) -> Iterator[tuple[str, str]]:
    """Problems and remedies; the rules are those of `SourceLimits`."""
    period = 1 / timing.rate_hz
    if timing.rate_hz < (1 - RATE_TOLERANCE) / frame_period_s:
        yield (
            f"{timing.rate_hz:.1f} Hz, the grid has {1 / frame_period_s:.1f} Hz: frames would be "
            "marked as missing",
            "a faster camera mode, more light (exposure), less load; or a longer frame_period_s",
        )
    if period / 2 > context.tolerance_s:
        yield (
            f"half a period is {period / 2:.3f} s, tolerance_s {context.tolerance_s} s",
            f"set tolerance_s to {0.6 * period:.3f}",
        )
    wait = max(0.0, period - context.tolerance_s) + timing.latency_p50_s
    if wait > context.max_delay_s:
        yield (
            f"images come {wait:.3f} s after their grid time (period less tolerance_s, latency "
            f"p50), max_delay_s is {context.max_delay_s} s: frames would be marked as missing",
            LATE_REMEDY.format(wait + timing.latency_p99_s - timing.latency_p50_s + 0.03),
        )
    if timing.greatest_gap_s > context.lost_after_s:
        yield (
            f"no image for {timing.greatest_gap_s:.2f} s, lost_after_s {context.lost_after_s} s",
            "see the driver, the cable and the load of the machine",
        )
    if timing.least_latency_s < -context.future_tolerance_s:
        yield (
            f"stamps are up to {-timing.least_latency_s:.3f} s ahead of this machine's clock",
            "synchronise the clocks (PTP or chrony); the driver must stamp the exposure",
        )

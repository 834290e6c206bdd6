"""The parameters of each node, with the reason of every value that is guessed or measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..robot.arms import Arm
from ..spec import GRIPPERS_BY_NAME, CameraSpec, matching_joints
from .cameras import Camera
from .checkpoints import Trained
from .commented_yaml import Line
from .findings import FoundController
from .grid_timing import DELAY_MARGIN_S, GridTiming

DEFAULT_UPDATE_RATE_HZ = 100.0
REAL_STATE = "control_msgs/JointTrajectoryControllerState"
AS_TRAINED = "as the checkpoint was trained"


def spec_lines(
    cameras: Sequence[Camera],
    sizes: Sequence[CameraSpec] | None,
    joints: Sequence[str],
    timing: GridTiming,
    trained: bool,
    grippers: Sequence[str],
) -> list[Line]:
    """What all nodes must agree on. `grippers` are the joints that are a finger's travel."""
    names = "guessed from the topics; any names and order, but always the same"
    smallest = "guessed: the smallest in the cameras' shapes; models cost by the pixel"
    slow = timing.frame_period_s < timing.camera_period_s * 0.9
    period = f"the slowest camera has {1 / timing.camera_period_s:.1f} Hz" if slow else "10 Hz"
    lines = [
        Line("cameras", [c.name for c in cameras] or None, AS_TRAINED if trained else names),
        Line(
            "mosaic_heights",
            [size.height for size in sizes] if sizes else None,
            AS_TRAINED if trained else smallest,
        ),
        Line("mosaic_width", sizes[0].width if sizes else None),
        Line("joints", list(joints) or None),
        Line("frame_period_s", timing.frame_period_s, AS_TRAINED if trained else period),
    ]
    if tuple(grippers) != matching_joints(GRIPPERS_BY_NAME, joints):
        why = AS_TRAINED if trained else "sliding joints at the ends of the arms"
        lines.append(Line("gripper_joints", list(grippers) or [""], why))
    return lines


def context_lines(cameras: Sequence[Camera], timing: GridTiming) -> list[Line]:
    """Of ``camera_context``."""
    complete = bool(cameras) and all(camera.source.height for camera in cameras)
    measured = timing.latency_s is not None
    rate = f"{1 / timing.camera_period_s:.1f} Hz" + ("" if measured else ", not measured")
    latency = (
        f"{1e3 * timing.latency_s:.0f} ms" if timing.latency_s is not None else "not measured"
    )
    lines = [
        Line("native_heights", [c.source.height for c in cameras] if complete else None),
        Line("native_widths", [c.source.width for c in cameras] if complete else None),
    ]
    if any(camera.base_topic != f"{camera.name}/image_raw" for camera in cameras):
        lines.append(Line("image_topics", [camera.base_topic for camera in cameras]))
    if any(camera.source.compressed for camera in cameras):
        transports = ["compressed" if c.source.compressed else "raw" for c in cameras]
        lines.append(Line("transports", transports))
    if any(camera.window for camera in cameras):
        windows = [number for c in cameras for number in c.window or (0, 0, 0, 0)]
        why = "guessed: 4:3 in the middle, so that the cameras stack"
        lines.append(Line("crop", windows, why))
    return [
        *lines,
        Line("tolerance_s", timing.tolerance_s, f"0.6 periods of the slowest camera ({rate})"),
        Line(
            "max_delay_s",
            timing.max_delay_s,
            f"its period less tolerance_s, its latency ({latency}), {DELAY_MARGIN_S} s to spare",
        ),
        Line("lost_after_s", timing.lost_after_s, "5 periods, 0.5 s at least"),
        Line("capacity", 256),
    ]


def checkpoint_lines(kind: str, trained: Trained | None, models: Path) -> list[Line]:
    """Of ``video_predictor`` and ``inverse_dynamics``, up to what only one of them has."""
    if trained is None:
        folder, why = models / kind, "TO BE TRAINED for this cell: docs/guides/new-robot.md"
    else:
        folder, why = trained.folder(kind), "was trained for these cameras and joints"
    return [Line("checkpoint", str(folder), why), Line("threads", 1)]


def scheduler_lines(
    controllers: Sequence[FoundController],
    arms: Sequence[Arm],
    update_rate_hz: float | None,
    timing: GridTiming,
    limits_file: Path,
) -> list[Line]:
    """Of ``leapfrog_scheduler``. Without `arms`, there is no URDF."""
    period = round(1 / (update_rate_hz or DEFAULT_UPDATE_RATE_HZ), 6)
    rate = f"{update_rate_hz or DEFAULT_UPDATE_RATE_HZ:g} Hz"
    return [
        Line("horizon", 8),
        Line("inference_delay_frames", 2, "at least; the latency may need more"),
        Line("execution_horizon", 2),
        Line(
            "controller_period_s",
            period,
            f"update_rate of the controller manager, {rate}"
            if update_rate_hz
            else f"guessed: {rate}; must be update_rate of the controller manager",
        ),
        Line(
            "lead_s",
            max(0.08, 2 * period),
            "guessed: the simulated cell's; less where messages are faster",
        ),
        Line("overlap_s", max(0.05, 2 * period)),
        Line("stale_timeout_s", timing.stale_timeout_s, "more than a frame and max_delay_s"),
        Line("joint_limits", str(limits_file)),
        *_controller_lines(controllers),
        *_clearance_lines(arms),
        Line("single_step", True, "every clip waits for approval; false once you trust it"),
        Line("engage_on_activate", False, "an operator engages"),
    ]


def _controller_lines(controllers: Sequence[FoundController]) -> list[Line]:
    types = sorted({one.state_type for one in controllers if one.state_type})
    action = any(one.action and not one.topic for one in controllers)
    return [
        Line("controllers", [one.name for one in controllers] or None),
        Line(
            "controller_state_type",
            types[0] if types else REAL_STATE,
            "" if types else "guessed: that of a real joint_trajectory_controller",
        ),
        Line(
            "controller_interface",
            "action" if action else "topic",
            "a controller takes no joint_trajectory messages" if action else "",
        ),
    ]


def _clearance_lines(arms: Sequence[Arm]) -> list[Line]:
    if not arms:
        return []
    prefixes = [arm.prefix for arm in arms]
    lines = [
        Line(
            "table_height_m", 0.0, "guessed: the table's top in the URDF's root frame; measure it"
        )
    ]
    if len(arms) == 1:
        return [Line("arm_prefixes", [""], "one arm: checked against the table"), *lines]
    told_apart = len(set(prefixes)) == len(prefixes) and all(prefixes)
    return [Line("arm_prefixes", prefixes if told_apart else None, "of the links"), *lines]

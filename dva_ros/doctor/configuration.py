"""A cell's configuration: its parameters, its limits against the URDF, its checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..context.image_decoding import ImageError
from ..errors import UserError
from ..leapfrog.limits import JointLimits
from ..resources import config_path
from ..robot.description import Description
from ..spec import CellSpec
from .check import Check, Section, Status, judged
from .checkpoints import checkpoint_check

if TYPE_CHECKING:
    from .client.config_check import CellConfig

TRAIN = "train it (docs/guides/new-robot.md), or set checkpoint"
SAME = 1e-6
"""Room for limits that were written with a few digits."""


def configuration_section(config: CellConfig, path: Path) -> Section:
    """Whether every node accepts its parameters."""
    remedy = f"correct {path.name}; docs/reference/nodes.md"
    problems = [(problem, remedy) for problem in config.problems]
    checks = judged("parameters", problems, "names, types and ranges as the nodes have them")
    checks += [
        Check("parameters", Status.OPTIONAL, text, remedy=f"rename it in {path.name}")
        for text in config.deprecated
    ]
    if config.spec is not None:
        spec, scheduler, recorder = config.spec, config.scheduler, config.recorder
        if scheduler is not None:
            checks += _problem(
                "leapfrog_scheduler",
                lambda: (scheduler.leapfrog(spec.frame_period_s), scheduler.boxes()),
            )
        checks += _pictures(config, spec)
        if recorder is not None:
            cameras = [camera.name for camera in spec.cameras]
            checks += _problem("recorder", lambda: recorder.topics(cameras))
        checks += _checkpoints(config, config.spec)
    return Section(f"Configuration {path}", tuple(checks))


def limits_section(config: CellConfig, description: Description | None) -> Section:
    """The motion limits, alone and against the URDF (None if there is none)."""
    title = "Motion limits"
    if config.spec is None or config.scheduler is None:
        skipped = Check(
            "joint_limits", Status.MISSING, "not checked: correct the parameters first"
        )
        return Section(title, (skipped,))
    names = config.spec.joint_names
    try:
        limits = JointLimits.load(config_path(config.scheduler.joint_limits), names)
    except UserError as error:
        wrong = Check("joint_limits", Status.MISSING, str(error), remedy="correct the file")
        return Section(title, (wrong,))
    stop = f"at rest from full speed within {_braking_s(limits):.2f} s"
    checks = [Check("joint_limits", Status.OK, f"{len(names)} joints, {stop}")]
    if description is None:
        checks.append(
            Check(
                "URDF",
                Status.OPTIONAL,
                "no URDF to compare them with",
                remedy="--urdf FILE, or start the robot_state_publisher",
            )
        )
        return Section(title, tuple(checks))
    excesses = limit_excesses(limits, description)
    problems = [(excess, "take the URDF's limit, or less") for excess in excesses]
    checks += judged("URDF", problems, "has all joints; no limit is beyond its own")
    return Section(title, tuple(checks))


def limit_excesses(limits: JointLimits, description: Description) -> list[str]:
    """Joints that are missing in the URDF, and limits that exceed the URDF's."""
    found = []
    for place, name in enumerate(limits.joint_names):
        joint = description.find(name)
        if joint is None:
            found.append(f"the URDF has no joint {name}")
            continue
        for field, limit, urdf in (
            ("max_position", limits.upper, joint.upper),
            ("max_velocity", limits.velocity, joint.velocity),
            ("max_acceleration", limits.acceleration, joint.acceleration),
            ("max_jerk", limits.jerk, joint.jerk),
        ):
            if urdf is not None and limit[place] > urdf + SAME:
                found.append(f"{name}: {field} {limit[place]:g}, the URDF has {urdf:g}")
        if joint.lower is not None and limits.lower[place] < joint.lower - SAME:
            found.append(
                f"{name}: min_position {limits.lower[place]:g}, the URDF has {joint.lower:g}"
            )
    return found


def _braking_s(limits: JointLimits) -> float:
    """The longest that a joint takes from its greatest speed to rest."""
    times = limits.velocity / (0.5 * limits.acceleration) + limits.acceleration / limits.jerk
    return float(np.max(times))


def _problem(name: str, use: Callable[[], object]) -> list[Check]:
    """The error with which parameters cannot be used; empty for none."""
    try:
        use()
    except (ValueError, UserError) as error:
        return [Check(name, Status.MISSING, str(error), remedy="correct it")]
    return []


def _pictures(config: CellConfig, spec: CellSpec) -> list[Check]:
    """Whether the images have the aspect ratios of the tiled observation."""
    context = config.context
    if context is None:
        return []
    try:
        inputs = context.inputs([camera.name for camera in spec.cameras])
    except (ValueError, ImageError) as error:
        return [
            Check(
                "cameras", Status.MISSING, str(error), remedy="correct it; docs/guides/cameras.md"
            )
        ]
    sizes = {name: given.view().size for name, given in inputs.items()}
    return [
        Check(
            f"camera {camera.name}",
            Status.MISSING,
            f"images of {width}x{height} have not the shape of {camera.width}x{camera.height}",
            remedy="set mosaic_heights and mosaic_width to their shape, or crop",
        )
        for camera in spec.cameras
        for height, width in (sizes[camera.name],)
        if height * camera.width != width * camera.height
    ]


def _checkpoints(config: CellConfig, spec: CellSpec) -> list[Check]:
    nodes = {"video_predictor": config.video, "inverse_dynamics": config.inverse_dynamics}
    return [
        checkpoint_check(f"{node}: {settings.checkpoint}", settings.checkpoint, spec, TRAIN)
        for node, settings in nodes.items()
        if settings is not None
    ]

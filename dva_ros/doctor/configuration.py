"""A cell's configuration: its parameters, its limits against the URDF, its checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..context.image_decoding import ImageError
from ..errors import UserError
from ..leapfrog.limits import JointLimits
from ..resources import config_path, model_path
from ..robot.description import Description
from ..spec import CellSpec
from .check import Check, Section, Status
from .checkpoints import trained_spec

if TYPE_CHECKING:
    from .client.config_check import CellConfig

TRAIN = "train it (docs/bring-up.md), or set checkpoint"
SAME = 1e-6
"""Room for limits that were written with a few digits."""


def configuration_section(config: CellConfig, path: Path) -> Section:
    """Whether every node would take its parameters."""
    checks = [
        Check("parameters", Status.MISSING, problem, remedy=f"mend {path.name}; docs/nodes.md")
        for problem in config.problems
    ]
    if not checks:
        checks = [Check("parameters", Status.OK, "names, types and ranges as the nodes have them")]
    checks += [
        Check("parameters", Status.OPTIONAL, text, remedy=f"rename it in {path.name}")
        for text in config.deprecated
    ]
    if config.spec is not None:
        checks += _timing(config, config.spec)
        checks += _pictures(config, config.spec)
        checks += _recording(config, config.spec)
        checks += _checkpoints(config, config.spec)
    return Section(f"Configuration {path}", tuple(checks))


def limits_section(config: CellConfig, description: Description | None) -> Section:
    """The motion limits, alone and against the URDF (None: there is none)."""
    title = "Motion limits"
    if config.spec is None or config.scheduler is None:
        skipped = Check("joint_limits", Status.MISSING, "not looked at: mend the parameters first")
        return Section(title, (skipped,))
    names = config.spec.joint_names
    try:
        limits = JointLimits.load(config_path(config.scheduler.joint_limits), names)
    except UserError as error:
        wrong = Check("joint_limits", Status.MISSING, str(error), remedy="mend the file")
        return Section(title, (wrong,))
    stop = f"at rest from full speed within {_braking_s(limits):.2f} s"
    checks = [Check("joint_limits", Status.OK, f"{len(names)} joints, {stop}")]
    if description is None:
        checks.append(
            Check(
                "URDF",
                Status.OPTIONAL,
                "none to hold them against",
                remedy="--urdf FILE, or start the robot_state_publisher",
            )
        )
        return Section(title, tuple(checks))
    problems = limit_excesses(limits, description)
    checks += [
        Check("URDF", Status.MISSING, problem, remedy="take the URDF's limit, or less")
        for problem in problems
    ]
    if not problems:
        checks.append(Check("URDF", Status.OK, "has all joints; no limit is beyond its own"))
    return Section(title, tuple(checks))


def limit_excesses(limits: JointLimits, description: Description) -> list[str]:
    """Joints that the URDF has not, and limits beyond the URDF's."""
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
    """The longest that a joint takes from its greatest speed to rest (docs/leapfrog.md)."""
    times = limits.velocity / (0.5 * limits.acceleration) + limits.acceleration / limits.jerk
    return float(np.max(times))


def _timing(config: CellConfig, spec: CellSpec) -> list[Check]:
    if config.scheduler is None:
        return []
    try:
        config.scheduler.leapfrog(spec.frame_period_s)
        config.scheduler.boxes()
    except (ValueError, UserError) as error:
        return [Check("leapfrog_scheduler", Status.MISSING, str(error), remedy="mend it")]
    return []


def _pictures(config: CellConfig, spec: CellSpec) -> list[Check]:
    """Whether the images have the shapes of the mosaic's parts."""
    context = config.context
    if context is None:
        return []
    try:
        inputs = context.inputs([camera.name for camera in spec.cameras])
    except (ValueError, ImageError) as error:
        return [Check("cameras", Status.MISSING, str(error), remedy="mend it; docs/images.md")]
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


def _recording(config: CellConfig, spec: CellSpec) -> list[Check]:
    if config.recorder is None:
        return []
    try:
        config.recorder.topics([camera.name for camera in spec.cameras])
    except ValueError as error:
        return [Check("recorder", Status.MISSING, str(error), remedy="mend it")]
    return []


def _checkpoints(config: CellConfig, spec: CellSpec) -> list[Check]:
    checks = []
    for node, settings in (
        ("video_predictor", config.video),
        ("inverse_dynamics", config.inverse_dynamics),
    ):
        if settings is None:
            continue
        name = f"{node}: {settings.checkpoint}"
        try:
            folder = model_path(settings.checkpoint)
            trained_spec(folder).require_equal(spec, "the checkpoint", "the cell")
        except UserError as error:
            checks.append(Check(name, Status.MISSING, str(error), remedy=TRAIN))
        else:
            checks.append(Check(name, Status.OK, "was trained for these cameras and joints"))
    return checks

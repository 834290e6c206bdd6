"""The configuration that follows from what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UserError
from ..robot.arms import arms_of, finger_joints, is_gripper
from ..robot.description import Description
from .cameras import Camera, choose_cameras, cropped, fit_mosaic
from .checkpoints import INVERSE_DYNAMICS, VIDEO, Trained, fitting
from .commented_yaml import Line
from .controllers import Choice, choose_controllers, choose_joints
from .findings import JointTopic, LiveCell
from .grid_timing import GridTiming
from .limits import START_SPEED, JointEntry, joint_entry
from .node_parameters import checkpoint_lines, context_lines, scheduler_lines, spec_lines
from .problems import (
    camera_problems,
    controller_problems,
    description_problems,
    joint_state_problems,
    limit_problems,
)

CELL_FILE, LIMITS_FILE, MODELS = "cell.yaml", "joint_limits.yaml", "models"
ALL_NODES = ""


@dataclass(frozen=True)
class Wishes:
    """Options of the command line.

    Attributes:
        cameras: name -> topic, from top to bottom; empty: all that are found.
        controllers: names; empty: all active ones.
        limits: joint -> limits of the robot's ``joint_limits.yaml``.
        speed: share of the robot's limits on velocity and acceleration to begin with.
    """

    cameras: Mapping[str, str] = field(default_factory=dict)
    controllers: Sequence[str] = ()
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    speed: float = START_SPEED


@dataclass(frozen=True)
class Proposal:
    """A configuration.

    Attributes:
        nodes: node, or `ALL_NODES` -> its parameters.
        joints: limits of every joint.
        found: what was seen, one line each.
        missing: what must be filled in or mended.
        steps: what to do next.
    """

    nodes: dict[str, list[Line]]
    joints: list[JointEntry]
    found: list[str]
    missing: list[str]
    steps: list[str]


def propose(
    live: LiveCell,
    description: Description | None,
    wishes: Wishes,
    folder: Path,
    trained: Sequence[Trained] = (),
) -> Proposal:
    """Make a configuration.

    Args:
        live: what the topics say; empty where they were not looked at.
        description: the URDF; None where there is none.
        wishes: of the command line.
        folder: where its files will be, absolute.
        trained: checkpoints that exist; one of the same cameras and joints is taken.

    Raises:
        UserError: nothing was found, or a wish cannot be met.
    """
    if live.empty and description is None:
        raise UserError(
            "no topics of a cell and no URDF: start the drivers of cameras and robot (with the "
            "same ROS_DOMAIN_ID), or give --urdf FILE"
        )
    cameras = choose_cameras(live.images, wishes.cameras)
    choice = choose_controllers(live.controllers, wishes.controllers)
    states = live.chosen_joint_states
    joints = choose_joints(description, choice.controllers, states)
    if not joints:
        raise UserError(
            "no joints: neither controllers nor joint_states nor a URDF say any; start the "
            "joint_state_broadcaster and the controllers, or give --urdf FILE"
        )
    model = fitting(trained, cameras, joints)
    if model is not None:
        order = [camera.name for camera in model.spec.cameras]
        cameras = tuple(sorted(cameras, key=lambda camera: order.index(camera.name)))
        joints = model.spec.joint_names
    sizes = model.spec.cameras if model else fit_mosaic(cameras)
    if sizes is None:
        cameras = cropped(cameras)
        sizes = fit_mosaic(cameras)
    timing = GridTiming.of(cameras, model.spec.frame_period_s if model else None)
    arms = arms_of(description, joints) if description else ()
    limits_file = folder / LIMITS_FILE
    entries = _entries(joints, description, wishes, states)
    return Proposal(
        nodes={
            ALL_NODES: spec_lines(
                cameras,
                sizes,
                joints,
                timing,
                model is not None,
                model.spec.gripper_joints if model else finger_joints(joints, description),
            ),
            "camera_context": context_lines(cameras, timing),
            "video_predictor": [
                *checkpoint_lines(VIDEO, model, folder / MODELS),
                Line("num_real_frames", 2),
            ],
            "inverse_dynamics": checkpoint_lines(INVERSE_DYNAMICS, model, folder / MODELS),
            "leapfrog_scheduler": scheduler_lines(
                choice.controllers, arms, live.update_rate_hz, timing, limits_file
            ),
        },
        joints=entries,
        found=list(_found(cameras, states, choice, joints)),
        missing=[
            *camera_problems(cameras, sizes),
            *joint_state_problems(states, joints),
            *controller_problems(choice.controllers, joints),
            *description_problems(description, joints, arms),
            *limit_problems(entries, LIMITS_FILE),
        ],
        steps=list(_steps(cameras, model, folder)),
    )


def _entries(
    joints: Sequence[str],
    description: Description | None,
    wishes: Wishes,
    states: JointTopic | None,
) -> list[JointEntry]:
    return [
        joint_entry(
            name,
            description.find(name) if description else None,
            wishes.limits.get(name, {}),
            gripper=is_gripper(name, description),
            speed=wishes.speed,
            measured=states.positions.get(name) if states else None,
        )
        for name in joints
    ]


def _found(
    cameras: Sequence[Camera],
    states: JointTopic | None,
    choice: Choice,
    joints: Sequence[str],
) -> Iterator[str]:
    for camera in cameras:
        source = camera.source
        size = f"{source.width}x{source.height} {source.encoding}, " if source.height else ""
        rate = source.timing.describe() if source.timing else "rate not measured"
        yield f"camera {camera.name}: {source.topic}, {size}{rate}"
    if states is not None:
        rate = states.timing.describe() if states.timing else "rate not measured"
        yield f"{states.topic}: {len(states.joints)} joints, {rate}"
        extra = [name for name in states.joints if name not in joints]
        if extra:
            yield f"left out: joints {', '.join(extra)}, which no controller has"
    for one in choice.controllers:
        rate = one.timing.describe() if one.timing else "no state"
        yield f"controller {one.name}: {', '.join(one.joints) or 'joints not known'}; {rate}"
    for name, why in choice.left_out.items():
        yield f"controller {name} left out: {why}"


def _steps(cameras: Sequence[Camera], model: Trained | None, folder: Path) -> Iterator[str]:
    if cameras and model is None:
        names = ", ".join(camera.name for camera in cameras)
        yield (
            f"cameras are {names}, from top to bottom: rename or order them now (--camera "
            "overhead=TOPIC for each, --force), models learn both"
        )
    yield "read both files; every guess says why. Measure table_height_m; add obstacles"
    yield f"check it: python -m dva_ros doctor --config {folder / CELL_FILE}"
    if model is None:
        yield (
            "no checkpoint fits these cameras and joints: record, then train both models into "
            f"{folder / MODELS} (docs/guides/new-robot.md)"
        )
    else:
        yield f"checkpoints {model.root} fit: docs/guides/new-robot.md, from single_step on"

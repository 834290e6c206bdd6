"""Findings that keep the nodes from starting or the robot from moving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..robot.arms import Arm
from ..robot.description import Description
from ..spec import CameraSpec
from .cameras import MOSAIC_WIDTHS, PATCH, Camera
from .controllers import joint_problem
from .findings import JOINT_STATES, FoundController, JointTopic
from .limits import JointEntry


def camera_problems(
    cameras: Sequence[Camera], sizes: Sequence[CameraSpec] | None
) -> Iterator[str]:
    """Problems of the cameras and their tiled observation."""
    if not cameras:
        yield (
            "no camera: start the camera drivers, or fill in cameras, mosaic_heights, "
            "mosaic_width, native_heights and native_widths"
        )
    for camera in cameras:
        source = camera.source
        if source.fault:
            yield f"camera {camera.name} ({source.topic}): {source.fault}"
        elif not source.height:
            yield f"camera {camera.name}: no image came on {source.topic}; is its driver running?"
        if source.publishers > 1:
            yield f"camera {camera.name}: {source.topic} has {source.publishers} publishers"
    if cameras and sizes is None and all(camera.source.height for camera in cameras):
        yield (
            f"{len(cameras)} cameras of 4:3 do not stack to whole patches of {PATCH} pixels in "
            f"any width up to {MOSAIC_WIDTHS[-1]}: fill in mosaic_heights, mosaic_width and crop"
        )


def joint_state_problems(states: JointTopic | None, joints: Sequence[str]) -> Iterator[str]:
    """Problems of the topic with the joint states; None if there is none."""
    if states is None:
        yield f"nothing publishes {JOINT_STATES}: start the joint_state_broadcaster"
        return
    if states.topic != JOINT_STATES:
        yield (
            f"joint states come on {states.topic}, the nodes listen on {JOINT_STATES}: start all "
            "in that namespace (--namespace, here and of up or the launch file), or remap it"
        )
    if len(states.publishers) > 1:
        what = "its joints jump between them"
        if len(states.names) > 1:
            what = "they send different joints, and no message has all of them"
        yield (
            f"{states.topic} has {len(states.publishers)} publishers "
            f"({', '.join(states.publishers)}): {what}; one node must send all joints: stop the "
            "others, or merge them (source_list of joint_state_publisher)"
        )
    unheard = [name for name in joints if name not in states.joints]
    if unheard and states.names:
        yield f"{states.topic} has no joint {', '.join(unheard)}"
    if not states.names:
        yield f"{states.topic}: no message came"


def controller_problems(
    controllers: Sequence[FoundController], joints: Sequence[str]
) -> Iterator[str]:
    """Problems of the controllers and their joints."""
    if not controllers:
        yield "no controller: start the joint_trajectory_controllers, or fill in controllers"
    for one in controllers:
        if one.fault:
            yield f"controller {one.name}: {one.fault}"
        elif one.timing is None:
            yield (
                f"controller {one.name} sends no state: activate it; without it the scheduler "
                "does not engage"
            )
    problem = joint_problem(controllers, joints)
    if problem:
        yield f"{problem}; choose controllers with --controller NAME"
    types = sorted({one.state_type for one in controllers if one.state_type})
    if len(types) > 1:
        yield f"the controllers' states have several types: {', '.join(types)}"


def description_problems(
    description: Description | None, joints: Sequence[str], arms: Sequence[Arm]
) -> Iterator[str]:
    """Problems of the URDF; None if there is none."""
    if description is None:
        yield (
            "no URDF: start the robot_state_publisher or give --urdf FILE; without it limits are "
            "unknown and distances are not checked"
        )
        return
    unknown = [name for name in joints if description.find(name) is None]
    if unknown:
        yield f"the URDF has no joint {', '.join(unknown)}: is it this robot's?"
    prefixes = [arm.prefix for arm in arms]
    if len(arms) > 1 and (len(set(prefixes)) < len(prefixes) or not all(prefixes)):
        yield (
            f"the links of the {len(arms)} arms do not begin with prefixes of their own: rename "
            "them in the URDF and fill in arm_prefixes, or set clearance_m to 0 and keep the arms "
            "apart yourself"
        )


def limit_problems(entries: Sequence[JointEntry], file: str) -> Iterator[str]:
    """Limits that are unknown."""
    for entry in entries:
        if entry.missing:
            reasons = {entry.values[field].reason for field in entry.missing}
            yield (
                f"{file}, joint {entry.name}: fill in {', '.join(entry.missing)} "
                f"({'; '.join(sorted(reasons))})"
            )

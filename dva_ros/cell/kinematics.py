"""Forward and inverse kinematics of the arms, read from the URDF."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .description import robot_description

DOWN_PITCH = math.pi / 2


class UnreachableError(ValueError):
    """The pose is outside the arm's workspace or joint limits."""


@dataclass(frozen=True)
class ChainJoint:
    """One joint of a chain, with its fixed transform from the parent link.

    Attributes:
        name: URDF name.
        rotation: float64 [3, 3], parent link to joint frame at zero.
        translation: float64 [3], metres.
        axis: float64 [3] unit vector; None for a fixed joint.
        lower: rad.
        upper: rad.
    """

    name: str
    rotation: np.ndarray
    translation: np.ndarray
    axis: np.ndarray | None
    lower: float
    upper: float


def _rotation_from_rpy(rpy: np.ndarray) -> np.ndarray:
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def _vector(element: ElementTree.Element | None, attribute: str, default: str) -> np.ndarray:
    text = default if element is None else element.get(attribute, default)
    return np.array([float(value) for value in text.split()])


@lru_cache(maxsize=2)
def arm_chain(side: str) -> tuple[ChainJoint, ...]:
    """Joints from ``world`` to ``<side>_grasp``, root first."""
    root = ElementTree.fromstring(robot_description())
    by_child = {}
    for joint in root.findall("joint"):
        child = joint.find("child")
        assert child is not None
        by_child[child.get("link")] = joint
    chain = []
    link: str | None = f"{side}_grasp"
    while link in by_child:
        joint = by_child[link]
        origin, limit, parent = joint.find("origin"), joint.find("limit"), joint.find("parent")
        assert parent is not None
        fixed = joint.get("type") == "fixed"
        chain.append(
            ChainJoint(
                name=str(joint.get("name")),
                rotation=_rotation_from_rpy(_vector(origin, "rpy", "0 0 0")),
                translation=_vector(origin, "xyz", "0 0 0"),
                axis=None if fixed else _vector(joint.find("axis"), "xyz", "1 0 0"),
                lower=-math.inf if limit is None else float(limit.get("lower", "-inf")),
                upper=math.inf if limit is None else float(limit.get("upper", "inf")),
            )
        )
        link = parent.get("link")
    return tuple(reversed(chain))


def _rotation_about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rodrigues' formula; angle [...] to [..., 3, 3]."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sin, cos = np.sin(angle)[..., None, None], np.cos(angle)[..., None, None]
    return np.eye(3) + sin * cross + (1.0 - cos) * (cross @ cross)


def forward_kinematics(side: str, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pose of the grasp point, midway between the finger pads, in the world frame.

    Args:
        side: "left" or "right".
        q: [..., 6] arm joints in rad, in the order of `spec.ARM_JOINTS`.

    Returns:
        position [..., 3] in m and rotation [..., 3, 3]; the tool points along its x axis, the
        fingers separate along its y axis.
    """
    q = np.asarray(q, dtype=np.float64)
    position = np.zeros((*q.shape[:-1], 3))
    rotation = np.broadcast_to(np.eye(3), (*q.shape[:-1], 3, 3))
    moving = 0
    for joint in arm_chain(side):
        position = position + rotation @ joint.translation
        rotation = rotation @ joint.rotation
        if joint.axis is not None:
            rotation = rotation @ _rotation_about(joint.axis, q[..., moving])
            moving += 1
    return position, rotation


@dataclass(frozen=True)
class ArmGeometry:
    """Lengths that the closed-form inverse kinematics needs, in metres and rad."""

    base: np.ndarray
    yaw: float
    shoulder_height: float
    upper_arm: float
    forearm: float
    tool: float
    lower: np.ndarray
    upper: np.ndarray


@lru_cache(maxsize=2)
def arm_geometry(side: str) -> ArmGeometry:
    """Lengths of one arm, read from its chain."""
    joints = {joint.name.removeprefix(f"{side}_"): joint for joint in arm_chain(side)}
    base = joints["base_fixed"]
    moving = [joint for joint in arm_chain(side) if joint.axis is not None]
    return ArmGeometry(
        base=base.translation,
        yaw=math.atan2(base.rotation[1, 0], base.rotation[0, 0]),
        shoulder_height=joints["waist"].translation[2] + joints["shoulder"].translation[2],
        upper_arm=joints["elbow"].translation[2],
        forearm=joints["forearm_roll"].translation[0] + joints["wrist_angle"].translation[0],
        tool=joints["wrist_rotate"].translation[0] + joints["grasp_fixed"].translation[0],
        lower=np.array([joint.lower for joint in moving]),
        upper=np.array([joint.upper for joint in moving]),
    )


def inverse_kinematics_down(
    side: str, position: tuple[float, float, float] | np.ndarray, finger_yaw: float = 0.0
) -> np.ndarray:
    """Joints that hold the grasp point at `position` with the tool pointing straight down.

    Args:
        side: "left" or "right".
        position: grasp point in the world frame, m.
        finger_yaw: angle of the finger axis from world +y about world +z, rad.

    Returns:
        float64 [6], rad; elbow up, no forearm roll.

    Raises:
        UnreachableError: outside the workspace or a joint limit.
    """
    g = arm_geometry(side)
    dx, dy = position[0] - g.base[0], position[1] - g.base[1]
    heading = math.atan2(dy, dx)
    waist = math.remainder(heading - g.yaw, 2 * math.pi)
    radius = math.hypot(dx, dy)
    height = position[2] - g.base[2] + g.tool - g.shoulder_height
    reach = math.hypot(radius, height)
    if not abs(g.upper_arm - g.forearm) < reach < g.upper_arm + g.forearm:
        raise UnreachableError(f"{side} arm cannot reach {np.round(position, 3)}: {reach:.3f} m")
    cos_inner = (g.upper_arm**2 + reach**2 - g.forearm**2) / (2 * g.upper_arm * reach)
    elevation = math.atan2(height, radius) + math.acos(cos_inner)
    shoulder = math.pi / 2 - elevation
    elbow_r = g.upper_arm * math.sin(shoulder)
    elbow_z = g.upper_arm * math.cos(shoulder)
    forearm_pitch = math.atan2(elbow_z - height, radius - elbow_r)
    q = np.array(
        [
            waist,
            shoulder,
            forearm_pitch - shoulder,
            0.0,
            DOWN_PITCH - forearm_pitch,
            math.remainder(heading - finger_yaw, 2 * math.pi),
        ]
    )
    if np.any(q < g.lower) or np.any(q > g.upper):
        raise UnreachableError(
            f"{side} arm cannot reach {np.round(position, 3)} inside its joint limits: "
            f"{np.round(q, 3)}"
        )
    return q

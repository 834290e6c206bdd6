"""Finds the joints of each arm and its gripper."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..spec import GRIPPERS_BY_NAME, matching_joints
from .description import Description

LEAST_ARM_JOINTS = 5
"""So that fingers are no arms."""
_GRIPPER = re.compile(r"grip|finger|hand|jaw|knuckle", re.IGNORECASE)


@dataclass(frozen=True)
class Arm:
    """One arm.

    Attributes:
        prefix: with which the names of all its links begin; empty for none.
        joints: its own, with its gripper's.
    """

    prefix: str
    joints: tuple[str, ...]


def arms_of(description: Description, joints: Sequence[str]) -> tuple[Arm, ...]:
    """The branches of the robot nearest to its base that have five or more of the joints.

    One arm with all joints where there are no two such branches.
    """
    links = list(description.roots)
    while len(links) == 1:
        links = [
            joint.child
            for joint in description.carried_by(links[0])
            if _count(description, joint.child, joints) + (joint.name in joints)
            >= LEAST_ARM_JOINTS
        ]
    if not links:
        return (Arm("", tuple(joints)),)
    return tuple(_arm(description, link, joints) for link in links)


def is_gripper(name: str, description: Description | None) -> bool:
    """By its name, or by moving along a line at the end of an arm."""
    if _GRIPPER.search(name):
        return True
    joint = description.find(name) if description else None
    if description is None or joint is None or not joint.linear:
        return False
    return not any(other.moves for other in description.from_link(joint.child))


def finger_joints(joints: Sequence[str], description: Description | None) -> tuple[str, ...]:
    """The grippers whose positions are a finger's travel in m: by the URDF, else by their names
    (`GRIPPERS_BY_NAME`)."""
    if description is None:
        return matching_joints(GRIPPERS_BY_NAME, joints)
    found = [(name, description.find(name)) for name in joints if is_gripper(name, description)]
    return tuple(name for name, joint in found if joint is not None and joint.linear)


def _count(description: Description, link: str, joints: Sequence[str]) -> int:
    return sum(joint.name in joints for joint in description.from_link(link))


def _arm(description: Description, link: str, joints: Sequence[str]) -> Arm:
    beyond = list(description.from_link(link))
    links = [link, *(joint.child for joint in beyond)]
    first, last = min(links), max(links)
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    cut = max(first.rfind("_", 0, same), first.rfind("/", 0, same)) + 1
    base = [j.name for j in description.joints if j.child == link and j.name in joints]
    own = (*base, *(joint.name for joint in beyond if joint.name in joints))
    return Arm(first[:cut], own)

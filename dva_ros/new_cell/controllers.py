"""Selects the controllers that execute motion, and the joints of the cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UserError
from ..leapfrog.controllers import mismatch
from ..robot.description import Description
from .findings import FoundController, JointTopic


@dataclass(frozen=True)
class Choice:
    """The controllers that were taken.

    Attributes:
        controllers: in order of name, or as wanted.
        left_out: name -> why it was not taken.
    """

    controllers: tuple[FoundController, ...]
    left_out: dict[str, str]


def choose_controllers(found: Sequence[FoundController], wanted: Sequence[str]) -> Choice:
    """The active controllers: those that accept trajectories and publish their state.

    All of them if none publishes its state: the active ones are then unknown.

    Args:
        found: all that were seen.
        wanted: names from the command line; empty: choose.

    Raises:
        UserError: a wanted one is not there; names those that are.
    """
    if wanted:
        by_name = {controller.name: controller for controller in found}
        for name in wanted:
            if name not in by_name:
                known = ", ".join(by_name) or "none"
                raise UserError(f"--controller {name}: not found; found: {known}")
        return Choice(tuple(by_name[name] for name in wanted), {})
    takers = [controller for controller in found if controller.topic or controller.action]
    active = [controller for controller in takers if controller.timing is not None]
    chosen = active or takers
    left_out = {
        controller.name: (
            "it publishes no state: not active"
            if controller in takers
            else "it accepts no trajectories"
        )
        for controller in found
        if controller not in chosen
    }
    return Choice(tuple(chosen), left_out)


def choose_joints(
    description: Description | None,
    controllers: Sequence[FoundController],
    joint_states: JointTopic | None,
) -> tuple[str, ...]:
    """The joints of the cell: the controllers' joints, else the URDF's that have a drive, else
    those of the joint states. In the order of the URDF, where there is one."""
    held = [joint for controller in controllers for joint in controller.joints]
    described = [joint.name for joint in description.moving] if description else []
    measured = list(joint_states.joints) if joint_states else []
    if held:
        order = {name: place for place, name in enumerate(described)}
        return tuple(sorted(dict.fromkeys(held), key=lambda name: order.get(name, len(order))))
    if described and measured:
        return tuple(name for name in described if name in measured)
    return tuple(described or measured)


def joint_problem(controllers: Sequence[FoundController], joints: Sequence[str]) -> str:
    """Why the controllers do not have every joint exactly once; empty if they do, or if it is not
    known which joints they have."""
    groups = {controller.name: controller.joints for controller in controllers}
    return mismatch(groups, joints) if groups and all(groups.values()) else ""

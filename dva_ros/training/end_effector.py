"""Where commands put the ends of the arms, and how these move with the joints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..robot.arms import is_gripper
from ..robot.description import Description, description_text
from ..robot.kinematic_model import KinematicModel
from ..spec import EMBEDDED_CELL, CellSpec

TIP_NAMES = ("tcp", "grasp", "tool", "end_effector", "ee_link")
"""Parts of the names of links at the end of an arm, the best first."""


class EndEffectors:
    """Positions of some links, through Pinocchio.

    Attributes:
        tips: names of the E links.
    """

    def __init__(self, urdf: str, joint_names: Sequence[str], tips: Sequence[str]) -> None:
        """Read the description.

        Args:
            urdf: its text.
            joint_names: order of the joint vectors.
            tips: links.

        Raises:
            UserError: a joint or link is not in the description, or pinocchio is not installed.
        """
        self._robot = KinematicModel(
            urdf, joint_names, "End-effector errors need it; leave --urdf out for joint errors"
        )
        missing = [tip for tip in tips if not self._robot.model.existFrame(tip)]
        if missing:
            raise UserError(f"the robot's description has no link {', '.join(missing)}")
        self.tips = tuple(tips)
        self._frames = [self._robot.model.getFrameId(tip) for tip in tips]
        self._data = self._robot.model.createData()

    def positions(self, joints: np.ndarray) -> np.ndarray:
        """Of the tips in the root's frame, float64 [..., E, 3] in m, for joints [..., J]."""
        pin, model, data = self._robot.pinocchio, self._robot.model, self._data
        flat = joints.reshape(-1, joints.shape[-1]).astype(np.float64)
        found = np.empty((len(flat), len(self._frames), 3))
        for row, vector in enumerate(flat):
            pin.forwardKinematics(model, data, self._robot.configuration(vector))
            for tip, frame in enumerate(self._frames):
                found[row, tip] = pin.updateFramePlacement(model, data, frame).translation
        return found.reshape(*joints.shape[:-1], len(self._frames), 3)

    def jacobians(self, joints: np.ndarray) -> np.ndarray:
        """Change of the tips with every joint: float32 [..., 3 E, J], m per rad or m.

        Rows are the first tip's x, y, z, then the next one's.
        """
        pin, model, data = self._robot.pinocchio, self._robot.model, self._data
        axes = pin.ReferenceFrame.LOCAL_WORLD_ALIGNED
        flat = joints.reshape(-1, joints.shape[-1]).astype(np.float64)
        found = np.empty((len(flat), 3 * len(self._frames), flat.shape[1]), dtype=np.float32)
        for row, vector in enumerate(flat):
            pin.computeJointJacobians(model, data, self._robot.configuration(vector))
            for tip, frame in enumerate(self._frames):
                pin.updateFramePlacement(model, data, frame)
                linear = pin.getFrameJacobian(model, data, frame, axes)[:3]
                found[row, 3 * tip : 3 * tip + 3] = linear[:, self._robot.velocity_columns]
        return found.reshape(*joints.shape[:-1], *found.shape[1:])


def end_effectors_of(
    spec: CellSpec, urdf: Path | None = None, tips: Sequence[str] = ()
) -> EndEffectors | None:
    """End effectors of a cell; None where nothing describes its arms.

    Args:
        spec: of the cell.
        urdf: URDF or xacro of its robot; None for the simulated cell's, where `spec` has its
            joints.
        tips: links; empty to find them (see `find_tips`).

    Raises:
        UserError: the description cannot be read or lacks a joint or link.
    """
    if urdf is not None:
        text, source = description_text(urdf), str(urdf)
    elif spec.joint_names == EMBEDDED_CELL.joint_names:
        from ..cell.description import robot_description

        text, source = robot_description(), "of the simulated cell"
    elif tips:
        raise UserError("--tip-links are links of a URDF: give it with --urdf")
    else:
        return None
    description = Description.parse(text, source)
    return EndEffectors(text, spec.joint_names, tips or find_tips(description, spec))


def find_tips(description: Description, spec: CellSpec) -> tuple[str, ...]:
    """A link for each arm, beyond its last joint that is no gripper's.

    Of the links fixed to what that joint moves it is one whose name says so (see `TIP_NAMES`),
    else the link that the joint moves.

    Raises:
        UserError: a joint is not in the description, or all are of grippers.
    """
    arm = [
        name
        for name in spec.joint_names
        if name not in spec.gripper_joints and not is_gripper(name, description)
    ]
    if not arm:
        raise UserError("no joint seems to be an arm's: name the ends of the arms by --tip-links")
    tips = []
    for name in arm:
        joint = description.find(name)
        if joint is None:
            raise UserError(f"the robot's description has no joint {name}")
        if not any(other.name in arm for other in description.from_link(joint.child)):
            tips.append(_tip(description, joint.child))
    return tuple(tips)


def _tip(description: Description, link: str) -> str:
    links = [link]
    for place in links:
        links += [j.child for j in description.carried_by(place) if j.kind == "fixed"]
    named = (one for part in TIP_NAMES for one in links if part in one.lower())
    return next(named, link)

"""A robot's description in Pinocchio, with positions in the order of our own joint vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import UserError


class KinematicModel:
    """A model and where our joints are in it.

    Attributes:
        pinocchio: the module.
        model: Pinocchio's model, with mimic joints.
        velocity_columns: int [J], column of each of our joints in Pinocchio's Jacobians.
    """

    def __init__(self, urdf: str, joint_names: Sequence[str], purpose: str) -> None:
        """Read the description.

        Args:
            urdf: its text.
            joint_names: order of our joint vectors.
            purpose: what it is for, and what to do without; for messages.

        Raises:
            UserError: pinocchio is not installed, or a joint is not in the description.
        """
        try:
            import pinocchio
        except ImportError as error:
            raise UserError(
                f"pinocchio is not installed ({error}): pip install pin. {purpose}"
            ) from error
        self.pinocchio: Any = pinocchio
        try:
            self.model: Any = pinocchio.buildModelFromXML(urdf, True)
        except (RuntimeError, ValueError) as error:
            raise UserError(f"the robot's description cannot be used: {error}") from error
        missing = [name for name in joint_names if not self.model.existJointName(name)]
        if missing:
            raise UserError(f"the robot's description has no joint {', '.join(missing)}")
        joints = [self.model.joints[self.model.getJointId(name)] for name in joint_names]
        self.velocity_columns = np.array([joint.idx_v for joint in joints], dtype=int)
        self._columns = np.array([joint.idx_q for joint in joints], dtype=int)
        # Joints that turn without end are a cosine and a sine there.
        self._endless = np.array([joint.nq == 2 for joint in joints], dtype=bool)

    def configuration(self, positions: np.ndarray) -> np.ndarray:
        """Pinocchio's vector from positions [J], rad or m; other joints are at their neutral."""
        q: np.ndarray = self.pinocchio.neutral(self.model)
        ends, endless = ~self._endless, self._endless
        q[self._columns[ends]] = positions[ends]
        q[self._columns[endless]] = np.cos(positions[endless])
        q[self._columns[endless] + 1] = np.sin(positions[endless])
        return q

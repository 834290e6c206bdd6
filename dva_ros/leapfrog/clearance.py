"""Distance of the arms from each other and from what stands in the cell, before motion is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..kinematic_model import KinematicModel
from .motion import Motion

_SPACING_S = 0.05


class Guard(Protocol):
    """Judges a motion as a whole."""

    def refusal(self, motion: Motion, start: float) -> str:
        """Why the motion may not be executed from `start` on; empty if it may."""


@dataclass(frozen=True)
class Box:
    """Something that stands in the cell.

    Attributes:
        name: for messages.
        size: m, along x, y and z.
        center: m, in the world frame.
        allowed: m, how deep a link may seem to reach into it: work touches it.
    """

    name: str
    size: tuple[float, float, float]
    center: tuple[float, float, float]
    allowed: float = 0.0


class Clearance:
    """Distances through Pinocchio, with the collision geometry of the robot's description.

    Links of different arms (joints of different prefixes) are held against each other, and every
    moving link against every box. A motion that is close already may go on as long as it comes no
    closer.
    """

    def __init__(
        self,
        urdf: str,
        joint_names: Sequence[str],
        groups: Sequence[str],
        boxes: Sequence[Box],
        margin: float,
    ) -> None:
        """Read the description.

        Args:
            urdf: its text.
            joint_names: columns of the motions.
            groups: prefixes of the links of each arm.
            boxes: what stands in the cell.
            margin: least distance between arms, m.

        Raises:
            UserError: pinocchio is not installed, or a joint is not in the description.
        """
        self._robot = KinematicModel(
            urdf, joint_names, "Distances need it; without it set clearance_m to 0"
        )
        import coal  # comes with pinocchio

        pinocchio = self._pinocchio = self._robot.pinocchio
        self._model = self._robot.model
        self._geometry = pinocchio.buildGeomFromUrdfString(
            self._model, urdf, pinocchio.GeometryType.COLLISION
        )
        links = list(self._geometry.geometryObjects)
        self._pairs: list[tuple[str, str]] = []
        self._least: list[float] = []
        for box in boxes:
            placement = pinocchio.SE3(np.eye(3), np.array(box.center))
            shape = coal.Box(*box.size)
            self._geometry.addGeometryObject(
                pinocchio.GeometryObject(box.name, 0, placement, shape)
            )
        for i, first in enumerate(links):
            for j, second in enumerate(links[i + 1 :], i + 1):
                if _group(first.name, groups) != _group(second.name, groups):
                    self._pair(i, j, margin)
            for k, box in enumerate(boxes):
                if first.parentJoint > 0:
                    self._pair(i, len(links) + k, -box.allowed)
        self._data = self._model.createData()
        self._geometry_data = self._geometry.createData()

    def distances(self, positions: np.ndarray) -> np.ndarray:
        """Distance of every pair beyond its least, m; float64 [P] for positions [J]."""
        q = self._robot.configuration(positions)
        self._pinocchio.computeDistances(
            self._model, self._data, self._geometry, self._geometry_data, q
        )
        found = [result.min_distance for result in self._geometry_data.distanceResults]
        return np.array(found) - np.array(self._least)

    def refusal(self, motion: Motion, start: float) -> str:
        """The pair that comes too close from `start` to the end at rest, when, and how close."""
        count = max(2, int(np.ceil((motion.end - start) / _SPACING_S)) + 1)
        times = np.linspace(start, max(motion.end, start), count)
        before = np.minimum(self.distances(motion.sample(start)[0]), 0.0)
        for time, positions in zip(times[1:], motion.sample(times[1:])[0], strict=True):
            room = self.distances(positions)
            closer = room - before
            worst = int(np.argmin(closer))
            if closer[worst] < -1e-4:
                first, second = self._pairs[worst]
                distance = room[worst] + self._least[worst]
                return (
                    f"{first} and {second} would be {distance:.3f} m apart in "
                    f"{time - start:.2f} s (at least {self._least[worst]:.3f})"
                )
        return ""

    def _pair(self, first: int, second: int, least: float) -> None:
        self._geometry.addCollisionPair(self._pinocchio.CollisionPair(first, second))
        objects = self._geometry.geometryObjects
        self._pairs.append((objects[first].name, objects[second].name))
        self._least.append(least)


def _group(name: str, groups: Sequence[str]) -> str:
    return next((group for group in groups if name.startswith(group)), "")

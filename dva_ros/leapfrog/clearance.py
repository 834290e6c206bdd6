"""Distance of the arms from each other and from what stands in the cell, before motion is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..robot.kinematic_model import KinematicModel
from .motion import Motion

_SPACING_S = 0.05
_SLACK_M = 1e-4


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


@dataclass(frozen=True)
class _Pairs:
    """Pairs that share a least distance: the closest of them has the least room.

    Attributes:
        least: m.
        names: of the two, for every pair.
        geometry, data: Pinocchio's, with these pairs alone.
    """

    least: float
    names: list[tuple[str, str]]
    geometry: Any
    data: Any

    @staticmethod
    def of(geometry: Any, least: float, pairs: Sequence[Any]) -> _Pairs:
        own = geometry.copy()
        for pair in pairs:
            own.addCollisionPair(pair)
        objects = own.geometryObjects
        names = [(objects[pair.first].name, objects[pair.second].name) for pair in pairs]
        return _Pairs(least, names, own, own.createData())


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
        geometry = pinocchio.buildGeomFromUrdfString(
            self._model, urdf, pinocchio.GeometryType.COLLISION
        )
        links = list(geometry.geometryObjects)
        pairs: dict[float, list[Any]] = {}
        for box in boxes:
            placement = pinocchio.SE3(np.eye(3), np.array(box.center))
            shape = coal.Box(*box.size)
            geometry.addGeometryObject(pinocchio.GeometryObject(box.name, 0, placement, shape))
        for i, first in enumerate(links):
            for j, second in enumerate(links[i + 1 :], i + 1):
                if _group(first.name, groups) != _group(second.name, groups):
                    pairs.setdefault(margin, []).append(pinocchio.CollisionPair(i, j))
            for k, box in enumerate(boxes):
                if first.parentJoint > 0:
                    pair = pinocchio.CollisionPair(i, len(links) + k)
                    pairs.setdefault(-box.allowed, []).append(pair)
        self._data = self._model.createData()
        self._pairs = [_Pairs.of(geometry, least, some) for least, some in pairs.items()]
        self._names = [names for some in self._pairs for names in some.names]
        self._least = np.repeat(
            [p.least for p in self._pairs], [len(p.names) for p in self._pairs]
        )

    def distances(self, positions: np.ndarray) -> np.ndarray:
        """Distance of every pair beyond its least, m; float64 [P] for positions [J]."""
        self._least_room(positions)
        results = [result for pairs in self._pairs for result in pairs.data.distanceResults]
        return np.array([result.min_distance for result in results]) - self._least

    def _least_room(self, positions: np.ndarray) -> float:
        """The least of `distances`; to read them all takes as long as to compute them."""
        q = self._robot.configuration(positions)
        least = np.inf
        for pairs in self._pairs:
            closest = self._pinocchio.computeDistances(
                self._model, self._data, pairs.geometry, pairs.data, q
            )
            least = min(least, pairs.data.distanceResults[closest].min_distance - pairs.least)
        return float(least)

    def refusal(self, motion: Motion, start: float) -> str:
        """The pair that comes too close from `start` to the end at rest, when, and how close."""
        count = max(2, int(np.ceil((motion.end - start) / _SPACING_S)) + 1)
        times = np.linspace(start, max(motion.end, start), count)
        before = np.minimum(self.distances(motion.sample(start)[0]), 0.0)
        for time, positions in zip(times[1:], motion.sample(times[1:])[0], strict=True):
            if self._least_room(positions) >= -_SLACK_M:
                continue
            room = self.distances(positions)
            closer = room - before
            worst = int(np.argmin(closer))
            if closer[worst] < -_SLACK_M:
                first, second = self._names[worst]
                distance = room[worst] + self._least[worst]
                return (
                    f"{first} and {second} would be {distance:.3f} m apart in "
                    f"{time - start:.2f} s (at least {self._least[worst]:.3f})"
                )
        return ""


def _group(name: str, groups: Sequence[str]) -> str:
    return next((group for group in groups if name.startswith(group)), "")

"""The moving things of a scene, by name: what tasks, goals, experts and disturbances see."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from ..spec import ARM_JOINTS
from .kinematics import forward_kinematics


@dataclass(frozen=True)
class Pose:
    """Of a body in the world frame.

    Attributes:
        position: float64 [3], m.
        rotation: float64 [3, 3].
    """

    position: np.ndarray
    rotation: np.ndarray

    @property
    def tilt(self) -> float:
        """Angle between the body's z axis and the vertical, rad."""
        return float(np.arccos(np.clip(self.rotation[2, 2], -1.0, 1.0)))

    @property
    def yaw(self) -> float:
        """Heading of the body's x axis about world z, rad."""
        return float(np.arctan2(self.rotation[1, 0], self.rotation[0, 0]))


def yaw_quaternion(yaw: float) -> np.ndarray:
    """w, x, y, z of a turn about world z by `yaw`, rad."""
    return np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)])


class World:
    """A moment of the simulation.

    Every method that takes a name raises KeyError where the model has no such thing.

    Attributes:
        rgba: float32 [geoms, 4], the geoms' colours in this episode.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, rgba: np.ndarray) -> None:
        self._model = model
        self._data = data
        self.rgba = rgba.copy()

    def of(self, data: mujoco.MjData) -> World:
        """The same scene at another moment, colours included."""
        return World(self._model, data, self.rgba)

    @property
    def time(self) -> float:
        """Simulated time, s."""
        return float(self._data.time)

    def pose(self, body: str) -> Pose:
        """Where a body is."""
        found = self._data.body(body)
        return Pose(found.xpos.copy(), found.xmat.reshape(3, 3).copy())

    def site(self, name: str) -> np.ndarray:
        """Position of a site, float64 [3], m."""
        return self._data.site(name).xpos.copy()

    def velocity(self, body: str) -> np.ndarray:
        """Linear velocity of a free body, float64 [3], m/s."""
        start = self._dof(body)
        return self._data.qvel[start : start + 3].copy()

    def opening(self, side: str) -> float:
        """Travel of the gripper's fingers, m; 0 is closed."""
        return self.joint(f"{side}_gripper")

    def grasp_point(self, side: str) -> np.ndarray:
        """The point midway between the finger pads of an arm, float64 [3], world frame, m."""
        arm = np.array([self.joint(f"{side}_{joint}") for joint in ARM_JOINTS])
        return forward_kinematics(side, arm)[0]

    def joint(self, name: str) -> float:
        """Position of a hinge (rad) or slide (m)."""
        return float(self._data.joint(name).qpos[0])

    def set_joint(self, name: str, position: float) -> None:
        """Put a hinge (rad) or slide (m) at rest at `position`."""
        self._data.joint(name).qpos[0] = position
        self._data.joint(name).qvel[0] = 0.0
        mujoco.mj_forward(self._model, self._data)

    def place(self, body: str, position: np.ndarray, yaw: float = 0.0) -> None:
        """Put a free body at rest at `position` (m) with heading `yaw` (rad), upright."""
        self.place_at(body, position, yaw_quaternion(yaw))

    def place_at(self, body: str, position: np.ndarray, quaternion: np.ndarray) -> None:
        """Put a free body at rest at `position` (m), `quaternion` w, x, y, z."""
        joint = self._free_joint(body)
        start = self._model.jnt_qposadr[joint]
        self._data.qpos[start : start + 3] = position
        self._data.qpos[start + 3 : start + 7] = quaternion
        dof = self._model.jnt_dofadr[joint]
        self._data.qvel[dof : dof + 6] = 0.0
        mujoco.mj_forward(self._model, self._data)

    def push(self, body: str, velocity: np.ndarray) -> None:
        """Give a free body a linear velocity, float [3], m/s."""
        start = self._dof(body)
        self._data.qvel[start : start + 3] = velocity

    def move_mocap(self, body: str, position: np.ndarray, quaternion: np.ndarray) -> None:
        """Move a mocap body, which no force moves: an actor's hand; m, and w, x, y, z."""
        number = int(self._model.body(body).mocapid[0])
        if number < 0:
            raise KeyError(f"{body} is no mocap body")
        self._data.mocap_pos[number] = position
        self._data.mocap_quat[number] = quaternion

    def paint(self, geom: str, rgba: tuple[float, float, float, float]) -> None:
        """Give a geom another colour in this episode; alpha 0 hides it."""
        self.rgba[self._model.geom(geom).id] = rgba

    def in_contact(self, one: str, other: str) -> bool:
        """Whether a geom of body `one` touches one of body `other`."""
        bodies = {self._model.body(one).id, self._model.body(other).id}
        owner = self._model.geom_bodyid
        return any(
            {int(owner[contact.geom1]), int(owner[contact.geom2])} == bodies
            for contact in self._data.contact
        )

    def _free_joint(self, body: str) -> int:
        joint = int(self._model.body(body).jntadr[0])
        if joint < 0 or self._model.jnt_type[joint] != mujoco.mjtJoint.mjJNT_FREE:
            raise KeyError(f"{body} is no free body")
        return joint

    def _dof(self, body: str) -> int:
        return int(self._model.jnt_dofadr[self._free_joint(body)])

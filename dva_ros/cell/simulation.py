"""The embedded cell: physics, cameras and the task's judgement, advanced step by step."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..spec import EMBEDDED_CELL, SIDES, CellSpec
from .kinematics import inverse_kinematics_down
from .model import CAMERAS, TIMESTEP_S, build_model
from .tasks import ObjectState, Scene, Split, Task

os.environ.setdefault("MUJOCO_GL", "egl")
# Frames this small are drawn faster without the software renderer's threads.
os.environ.setdefault("LP_NUM_THREADS", "0")

import mujoco

CONTROL_PERIOD_S = 0.01
HOME_OPENING_M = 0.045
MOVED_M = 0.01

_cached_model = lru_cache(maxsize=8)(build_model)


@dataclass(frozen=True)
class TaskResult:
    """The task's judgement so far.

    Attributes:
        success: the goal has held for the task's hold time; stays true once reached.
        outcome: "success", or what is missing.
    """

    success: bool
    outcome: str


class Cell:
    """Two arms over a table in MuJoCo, in simulated time.

    `reset` chooses a seeded scene; `step` advances by one control period (10 ms) under a joint
    position command, as a `ros2_control` hardware interface would.
    """

    spec: CellSpec = EMBEDDED_CELL
    native_size = {name: (mount.height, mount.width) for name, mount in CAMERAS.items()}

    def __init__(self) -> None:
        self._renderers: dict[str, mujoco.Renderer] = {}
        self._model: mujoco.MjModel | None = None

    def reset(self, task: Task, seed: int, split: Split) -> str:
        """Put the cell into the seeded scene, arms at rest; returns the instruction."""
        self.task = task
        self.scene: Scene = task.scene(seed, split)
        model = _cached_model(self.scene.objects, self.scene.colour)
        if model is not self._model:
            self.close()
            self._model = model
            self._data = mujoco.MjData(model)
            self._index_model()
        mujoco.mj_resetData(model, self._data)
        self._place_robot()
        self.place_object(self.scene.object_position, self.scene.object_yaw)
        for _ in range(50):
            mujoco.mj_step(model, self._data)
        self._start_s = self._data.time
        self._object_start = self.object_state().position
        self._held_s = 0.0
        self._success = False
        self._touched = False
        return self.scene.instruction

    def fork(self) -> Cell:
        """A copy of the present moment; stepping it leaves this cell as it is."""
        other = copy.copy(self)
        other._data = copy.copy(self._data)
        other._renderers = {}
        return other

    @property
    def time(self) -> float:
        """Seconds of simulated time since the reset."""
        return float(self._data.time - self._start_s)

    def step(self, command: np.ndarray) -> None:
        """Hold `command` (float [14], order of the spec) for one control period."""
        self._data.ctrl[self._actuators] = command
        assert self._model is not None
        mujoco.mj_step(self._model, self._data, nstep=round(CONTROL_PERIOD_S / TIMESTEP_S))
        self._judge()

    def positions(self) -> np.ndarray:
        """Measured joint positions, float32 [14]."""
        return self._data.qpos[self._qpos].astype(np.float32)

    def velocities(self) -> np.ndarray:
        """Measured joint velocities, float32 [14]."""
        return self._data.qvel[self._qvel].astype(np.float32)

    def command(self) -> np.ndarray:
        """The command now held, float64 [14]."""
        return self._data.ctrl[self._actuators].copy()

    def render(self, camera: str, scale: int = 1) -> np.ndarray:
        """Image of a camera, uint8 RGB [height, width, 3], at `scale` times its native size."""
        key = f"{camera}@{scale}"
        if key not in self._renderers:
            mount = CAMERAS[camera]
            self._renderers[key] = mujoco.Renderer(
                self._model, mount.height * scale, mount.width * scale
            )
        renderer = self._renderers[key]
        renderer.update_scene(self._data, camera)
        return renderer.render()

    def object_state(self) -> ObjectState:
        """Pose and speed of the task's object, and the grippers' openings."""
        body = self._data.body("object")
        start = self._object_dof
        return ObjectState(
            position=body.xpos.copy(),
            rotation=body.xmat.reshape(3, 3).copy(),
            speed=float(np.linalg.norm(self._data.qvel[start : start + 3])),
            openings={side: float(self._data.joint(f"{side}_gripper").qpos[0]) for side in SIDES},
        )

    def place_object(self, position: np.ndarray, yaw: float) -> None:
        """Put the object at rest at `position` (m, world frame) with heading `yaw` (rad)."""
        joint = self._object_joint
        self._data.qpos[joint : joint + 3] = position
        self._data.qpos[joint + 3 : joint + 7] = [np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]
        self._data.qvel[self._object_dof : self._object_dof + 6] = 0.0
        mujoco.mj_forward(self._model, self._data)

    def push_object(self, velocity: np.ndarray) -> None:
        """Give the object a linear velocity, float [3], m/s: a nudge."""
        self._data.qvel[self._object_dof : self._object_dof + 3] = velocity

    def evaluate(self) -> TaskResult:
        """The task's judgement so far."""
        if self._success:
            return TaskResult(True, "success")
        return TaskResult(False, self.task.outcome(self.object_state(), self._touched))

    def close(self) -> None:
        """Free the renderers."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    def _index_model(self) -> None:
        model, names = self._model, self.spec.joint_names
        assert model is not None
        self._actuators = np.array([model.actuator(name).id for name in names])
        self._qpos = np.array([model.joint(name).qposadr[0] for name in names])
        self._qvel = np.array([model.joint(name).dofadr[0] for name in names])
        joint = model.body("object").jntadr[0]
        self._object_joint = int(model.jnt_qposadr[joint])
        self._object_dof = int(model.jnt_dofadr[joint])

    def _place_robot(self) -> None:
        positions = np.concatenate(
            [
                [*inverse_kinematics_down(side, self.scene.home[side]), HOME_OPENING_M]
                for side in SIDES
            ]
        )
        self._data.qpos[self._qpos] = positions
        self._data.ctrl[self._actuators] = positions
        for side in SIDES:
            self._data.joint(f"{side}_gripper_mimic").qpos[0] = HOME_OPENING_M
        mujoco.mj_forward(self._model, self._data)

    def _judge(self) -> None:
        state = self.object_state()
        moved = np.linalg.norm(state.position - self._object_start)
        self._touched = self._touched or bool(moved > MOVED_M)
        self._held_s = self._held_s + CONTROL_PERIOD_S if self.task.satisfied(state) else 0.0
        self._success = self._success or self._held_s >= self.task.hold_s

"""The simulated cell: physics, cameras and the task's judgement, advanced step by step."""

from __future__ import annotations

import copy
import os
from functools import lru_cache

import numpy as np

from ..spec import EMBEDDED_CELL, SIDES, CellSpec
from .goal import TaskResult
from .kinematics import inverse_kinematics_down
from .model import CAMERAS, TIMESTEP_S, build_model
from .task import Props, Scene, Split, Task
from .timing import CONTROL_PERIOD_S, HOME_OPENING_M
from .world import World

os.environ.setdefault("MUJOCO_GL", "egl")
# Frames this small are drawn faster without the software renderer's threads.
os.environ.setdefault("LP_NUM_THREADS", "0")

import mujoco

SETTLING_STEPS = 50


@lru_cache(maxsize=8)
def _compiled(props: Props) -> tuple[mujoco.MjModel, np.ndarray]:
    """The model of a scene, and its geoms' colours before any episode painted them."""
    model = build_model(props)
    return model, model.geom_rgba.copy()


class Cell:
    """Two arms over a table in MuJoCo, in simulated time.

    `reset` chooses a seeded scene; `step` advances by one control period (10 ms) under a joint
    position command, as a `ros2_control` hardware interface would.

    Attributes:
        task: of the present episode.
        scene: of the present episode.
        world: its moving things by name.
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
        model, rgba = _compiled(self.scene.props)
        if model is not self._model:
            self.close()
            self._model = model
            self._data = mujoco.MjData(model)
            self._index_model()
        mujoco.mj_resetData(model, self._data)
        self._place_robot()
        self.world = World(model, self._data, rgba)
        self.scene.place(self.world)
        for _ in range(SETTLING_STEPS):
            mujoco.mj_step(model, self._data)
        self._start_s = self._data.time
        self._actors = task.actors(self.scene)
        self._goal = task.goal(self.scene)
        self._goal.begin(self.world)
        return self.scene.instruction

    def fork(self) -> Cell:
        """A copy of the present moment; stepping it leaves this cell as it is."""
        other = copy.copy(self)
        other._data = copy.copy(self._data)
        other.world = self.world.of(other._data)
        other._actors, other._goal = copy.deepcopy((self._actors, self._goal))
        other._renderers = {}
        return other

    @property
    def time(self) -> float:
        """Seconds of simulated time since the reset."""
        return float(self._data.time - self._start_s)

    def step(self, command: np.ndarray) -> None:
        """Hold `command` (float [14], order of the spec) for one control period."""
        for actor in self._actors:
            actor.advance(self.world)
        self._data.ctrl[self._actuators] = command
        assert self._model is not None
        mujoco.mj_step(self._model, self._data, nstep=round(CONTROL_PERIOD_S / TIMESTEP_S))
        self._goal.update(self.world, CONTROL_PERIOD_S)

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
        assert self._model is not None
        self._model.geom_rgba[:] = self.world.rgba  # the model is shared by equal scenes
        renderer = self._renderers[key]
        renderer.update_scene(self._data, camera)
        return renderer.render()

    def evaluate(self) -> TaskResult:
        """The task's judgement so far."""
        return self._goal.result(self.world)

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

"""The MuJoCo model of the cell: the URDF plus table, objects, cameras and position servos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..spec import ARM_JOINTS, SIDES
from .description import robot_description

if TYPE_CHECKING:
    import mujoco

TIMESTEP_S = 0.002
OBJECT_BIT, LEFT_BIT, RIGHT_BIT = 1, 2, 4

TABLE_RGBA = (0.52, 0.50, 0.47, 1.0)
BACKDROP_RGBA = (0.70, 0.76, 0.82, 1.0)
TRAY_RGBA = (0.20, 0.38, 0.38, 1.0)
TRAY_FLOOR_RGBA = (0.35, 0.62, 0.60, 1.0)
BOX_RGBA = (0.62, 0.40, 0.22, 1.0)
HANDLE_RGBA = (0.95, 0.25, 0.55, 1.0)

CUBE_HALF_M = 0.022
TRAY_HALF_M = 0.09
TRAY_WALL_M = 0.02
HANDLE_OFFSET_M = 0.13
BOX_HALF_M = (0.05, 0.15, 0.03)
HANDLE_HALF_M = (0.04, 0.014, 0.022)

COLOURS: dict[str, tuple[float, float, float, float]] = {
    "red": (0.88, 0.10, 0.10, 1.0),
    "green": (0.10, 0.65, 0.20, 1.0),
    "blue": (0.10, 0.20, 0.85, 1.0),
    "yellow": (0.95, 0.85, 0.10, 1.0),
    "purple": (0.55, 0.15, 0.65, 1.0),
}


@dataclass(frozen=True)
class CameraMount:
    """Where a camera stands and what it publishes.

    Attributes:
        position: world frame, m.
        target: point in the image centre, world frame, m.
        up: image up, world frame.
        fovy_deg: vertical field of view.
        height: rows of the published image, pixels.
        width: columns of the published image, pixels.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    up: tuple[float, float, float]
    fovy_deg: float
    height: int
    width: int


CAMERAS: dict[str, CameraMount] = {
    # Image right is world +y for both, so that left and right agree between the views.
    "overhead": CameraMount((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (-1.0, 0.0, 0.0), 30.5, 96, 128),
    "front": CameraMount((1.05, 0.0, 0.30), (0.0, 0.0, 0.14), (0.0, 0.0, 1.0), 21.0, 64, 128),
}

# Stiffness and damping of each arm joint's position servo: N·m/rad and N·m·s/rad.
ARM_SERVOS: dict[str, tuple[float, float]] = {
    "waist": (3000.0, 90.0),
    "shoulder": (3000.0, 90.0),
    "elbow": (2000.0, 50.0),
    "forearm_roll": (400.0, 8.0),
    "wrist_angle": (400.0, 8.0),
    "wrist_rotate": (200.0, 4.0),
}
GRIPPER_SERVO = (2500.0, 60.0)
GRIPPER_FORCE_N = 30.0


def _look_at(mount: CameraMount) -> np.ndarray:
    """x and y axes of the camera in the world frame, as MuJoCo's `xyaxes`."""
    backward = np.subtract(mount.position, mount.target)
    backward /= np.linalg.norm(backward)
    right = np.cross(np.asarray(mount.up, dtype=float), backward)
    right /= np.linalg.norm(right)
    return np.concatenate([right, np.cross(backward, right)])


def _rotation_quaternion(axes: np.ndarray) -> np.ndarray:
    import mujoco

    x, y = axes[:3], axes[3:]
    matrix = np.stack([x, y, np.cross(x, y)], axis=1)
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, matrix.ravel())
    return quaternion


def _add_servo(
    spec: mujoco.MjSpec, joint: str, stiffness: float, damping: float
) -> mujoco.MjsActuator:
    import mujoco

    actuator = spec.add_actuator(
        name=joint,
        target=joint,
        trntype=mujoco.mjtTrn.mjTRN_JOINT,
        gaintype=mujoco.mjtGain.mjGAIN_FIXED,
        biastype=mujoco.mjtBias.mjBIAS_AFFINE,
    )
    actuator.gainprm[0] = stiffness
    actuator.biasprm[:3] = [0.0, -stiffness, -damping]
    return actuator


def _add_servos(spec: mujoco.MjSpec) -> None:
    import mujoco

    for side in SIDES:
        for joint in ARM_JOINTS:
            spec.joint(f"{side}_{joint}").armature = 0.02
            _add_servo(spec, f"{side}_{joint}", *ARM_SERVOS[joint])
        for name in (f"{side}_gripper", f"{side}_gripper_mimic"):
            spec.joint(name).armature = 0.05
        gripper = _add_servo(spec, f"{side}_gripper", *GRIPPER_SERVO)
        gripper.forcelimited = True
        gripper.forcerange[:] = [-GRIPPER_FORCE_N, GRIPPER_FORCE_N]
        equality = spec.add_equality(
            type=mujoco.mjtEq.mjEQ_JOINT,
            name1=f"{side}_gripper_mimic",
            name2=f"{side}_gripper",
            objtype=mujoco.mjtObj.mjOBJ_JOINT,
        )
        equality.data[:5] = [0.0, 1.0, 0.0, 0.0, 0.0]
        equality.solref[:] = [0.004, 1.0]


def _add_box(
    body: mujoco.MjsBody,
    half: tuple[float, float, float],
    position: tuple[float, float, float],
    rgba: tuple[float, float, float, float],
    mass: float = 0.0,
    name: str = "",
) -> None:
    import mujoco

    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=half,
        pos=position,
        rgba=rgba,
        mass=mass,
        contype=OBJECT_BIT,
        conaffinity=OBJECT_BIT | LEFT_BIT | RIGHT_BIT,
        condim=4,
        friction=[1.0, 0.01, 0.0001],
    )


def _add_tray_and_cube(spec: mujoco.MjSpec, colour: str) -> None:
    tray = spec.worldbody.add_body(name="tray")
    floor, half, wall = 0.003, TRAY_HALF_M, TRAY_WALL_M / 2
    _add_box(tray, (half, half, floor), (0.0, 0.0, floor), TRAY_FLOOR_RGBA)
    for sign in (1.0, -1.0):
        _add_box(tray, (half, 0.006, wall), (0.0, sign * half, wall), TRAY_RGBA)
        _add_box(tray, (0.006, half, wall), (sign * half, 0.0, wall), TRAY_RGBA)
    cube = spec.worldbody.add_body(name="object", pos=[0.0, 0.2, CUBE_HALF_M])
    cube.add_freejoint()
    _add_box(cube, (CUBE_HALF_M,) * 3, (0.0, 0.0, 0.0), COLOURS[colour], mass=0.08, name="object")


def _add_handled_box(spec: mujoco.MjSpec) -> None:
    box = spec.worldbody.add_body(name="object", pos=[0.0, 0.0, BOX_HALF_M[2]])
    box.add_freejoint()
    _add_box(box, BOX_HALF_M, (0.0, 0.0, 0.0), BOX_RGBA, mass=0.25, name="object")
    for sign in (1.0, -1.0):
        centre = (0.0, sign * HANDLE_OFFSET_M, BOX_HALF_M[2] + HANDLE_HALF_M[2])
        _add_box(box, HANDLE_HALF_M, centre, HANDLE_RGBA, mass=0.02)


def build_spec(objects: str, colour: str = "red") -> mujoco.MjSpec:
    """Describe the cell.

    Args:
        objects: "cube_and_tray" or "handled_box"; the free body is named ``object``.
        colour: of the cube, a key of `COLOURS`.

    Raises:
        ValueError: unknown objects.
    """
    import mujoco

    spec = mujoco.MjSpec.from_string(robot_description())
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    # Shadows, multisampling and reflections cost more than all else in software rendering.
    spec.visual.quality.shadowsize = 0
    spec.visual.quality.offsamples = 0
    for body in spec.bodies:
        body.gravcomp = 1.0
    for geom in spec.geoms:
        left = geom.parent.name.startswith("left")
        geom.contype = LEFT_BIT if left else RIGHT_BIT
        geom.conaffinity = OBJECT_BIT | (RIGHT_BIT if left else LEFT_BIT)
        geom.condim = 4
        geom.friction[:] = [1.5, 0.02, 0.0001]
    _add_servos(spec)
    world = spec.worldbody
    world.add_light(
        pos=[0.4, 0.0, 2.0], dir=[-0.2, 0.0, -1.0], diffuse=[0.55] * 3, specular=[0.0] * 3
    )
    spec.visual.headlight.ambient[:] = [0.45] * 3
    spec.visual.headlight.diffuse[:] = [0.25] * 3
    spec.visual.headlight.specular[:] = [0.0] * 3
    _add_box(world, (0.5, 0.7, 0.02), (0.0, 0.0, -0.02), TABLE_RGBA, name="table")
    _add_box(world, (0.02, 2.0, 1.5), (-1.2, 0.0, 0.5), BACKDROP_RGBA, name="backdrop")
    for name, mount in CAMERAS.items():
        world.add_camera(
            name=name,
            pos=mount.position,
            quat=_rotation_quaternion(_look_at(mount)),
            fovy=mount.fovy_deg,
        )
    if objects == "cube_and_tray":
        _add_tray_and_cube(spec, colour)
    elif objects == "handled_box":
        _add_handled_box(spec)
    else:
        raise ValueError(f"objects must be cube_and_tray or handled_box, got {objects!r}")
    return spec


def build_model(objects: str, colour: str = "red") -> mujoco.MjModel:
    """Compile the cell; arguments and errors of `build_spec`."""
    return build_spec(objects, colour).compile()

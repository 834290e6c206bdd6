"""The MuJoCo model of the cell: the URDF plus table, cameras, position servos and props."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..spec import ARM_JOINTS, SIDES
from .description import robot_description
from .props import LEFT_BIT, OBJECT_BIT, RIGHT_BIT, add_box

if TYPE_CHECKING:
    import mujoco

    from .task import Props

TIMESTEP_S = 0.002

TABLE_RGBA = (0.52, 0.50, 0.47, 1.0)
BACKDROP_RGBA = (0.70, 0.76, 0.82, 1.0)


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


def build_spec(props: Props | None = None) -> mujoco.MjSpec:
    """Describe the cell with these props, None for an empty table."""
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
    add_box(world, (0.5, 0.7, 0.02), (0.0, 0.0, -0.02), TABLE_RGBA, name="table")
    add_box(world, (0.02, 2.0, 1.5), (-1.2, 0.0, 0.5), BACKDROP_RGBA, name="backdrop")
    for name, mount in CAMERAS.items():
        world.add_camera(
            name=name,
            pos=mount.position,
            quat=_rotation_quaternion(_look_at(mount)),
            fovy=mount.fovy_deg,
        )
    if props is not None:
        props.add_to(spec)
    return spec


def build_model(props: Props | None = None) -> mujoco.MjModel:
    """Compile the cell with these props."""
    return build_spec(props).compile()

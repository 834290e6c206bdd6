"""The cell's surroundings as a Gazebo world (SDF), written from the MuJoCo model.

Everything but the robot: table, backdrop, light, cameras and a task's props. Gazebo spawns the
robot from its own description. ``worlds/cell.sdf`` is the world of `pick_place`.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UserError
from ..spec import EMBEDDED_CELL
from .model import CAMERAS, build_spec

if TYPE_CHECKING:
    import mujoco

    from .task import Props

Element = ElementTree.Element

SYSTEMS = {
    "gz-sim-physics-system": "gz::sim::systems::Physics",
    "gz-sim-sensors-system": "gz::sim::systems::Sensors",
    "gz-sim-scene-broadcaster-system": "gz::sim::systems::SceneBroadcaster",
    "gz-sim-user-commands-system": "gz::sim::systems::UserCommands",
}
"""What runs in the world: plugin file -> class."""

NEAR_M, FAR_M = 0.02, 10.0
"""What a camera sees."""

# Columns are the axes of an SDF camera (x forward, y left, z up) in a MuJoCo camera's (x right,
# y up, z backward).
_SDF_IN_MUJOCO_CAMERA = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])

_SPOT_FALLOFF = 3.0
"""With it the light fades within 0.08 as MuJoCo's cos¹⁰ does, from the axis to the cone's edge."""


def cell_world(props: Props) -> str:
    """The world with these props and the simulated cell's two cameras.

    Raises:
        UserError: a prop has a shape or a joint that this cannot write.
    """
    spec, described = build_spec(props), build_spec(props)
    described.compiler.fusestatic = False  # a body that does not move stays a body
    model = described.compile()
    robot = {body.name for body in build_spec().worldbody.bodies}
    sdf = Element("sdf", version="1.9")
    world = _child(sdf, "world", name="dva_cell")
    _add_physics(world, model)
    for filename, name in SYSTEMS.items():
        plugin = _child(world, "plugin", filename=filename, name=name)
        if name.endswith("Sensors"):
            _text(plugin, "render_engine", "ogre2")
    _add_lights(world, spec)
    for geom in _geoms(model, 0):
        name = model.geom(geom).name or f"geom_{geom}"
        _add_geom(_fixture(world, name), f"{name}_0", model, geom, model.geom_friction[geom, 0])
    for body in spec.worldbody.bodies:
        if body.name not in robot:
            _add_bodies(world, [body, *_below(body)], model)
    _add_cameras(world, spec)
    ElementTree.indent(sdf)
    note = "Written by scripts/write_world.py from dva_ros/cell: change that, not this."
    body_text = ElementTree.tostring(sdf, encoding="unicode")
    return f'<?xml version="1.0"?>\n<!-- {note} -->\n{body_text}\n'


def _child(parent: Element, tag: str, **attributes: str) -> Element:
    return ElementTree.SubElement(parent, tag, attributes)


def _text(parent: Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _numbers(values: np.ndarray | list[float]) -> str:
    """Ten digits; never -0."""
    return " ".join(f"{round(float(value), 12) + 0.0:.10g}" for value in values)


def _value(parent: Element, tag: str, *values: float) -> None:
    _text(parent, tag, _numbers(list(values)))


def _colour(parent: Element, tag: str, rgb: np.ndarray | list[float]) -> None:
    """Opaque; MuJoCo keeps colours as float32."""
    _value(parent, tag, *np.round(np.asarray(rgb[:3], np.float64), 6), 1.0)


def _pose(parent: Element, position: np.ndarray, quaternion: np.ndarray) -> Element:
    """A pose from m and a quaternion w, x, y, z: angles lose a camera that looks straight down."""
    pose = _child(parent, "pose", rotation_format="quat_xyzw")
    pose.text = f"{_numbers(position)}  {_numbers(np.roll(quaternion, -1))}"
    return pose


def _add_physics(world: Element, model: mujoco.MjModel) -> None:
    physics = _child(world, "physics", name="default", type="ignored")
    _value(physics, "max_step_size", model.opt.timestep)
    _value(physics, "real_time_factor", 1.0)
    _value(world, "gravity", *model.opt.gravity)


def _add_lights(world: Element, spec: mujoco.MjSpec) -> None:
    # A headlight on every camera does not exist in SDF: what it lights up straight ahead.
    headlight = spec.visual.headlight
    scene = _child(world, "scene")
    _colour(scene, "ambient", headlight.ambient + headlight.diffuse)
    _colour(scene, "background", [0.0, 0.0, 0.0])
    _text(scene, "shadows", "false")
    _text(scene, "grid", "false")
    for index, lamp in enumerate(spec.lights):
        light = _child(world, "light", name=lamp.name or f"light_{index}", type="spot")
        _pose(light, lamp.pos, np.array([1.0, 0.0, 0.0, 0.0]))
        _text(light, "cast_shadows", "false")
        _colour(light, "diffuse", lamp.diffuse)
        _colour(light, "specular", lamp.specular)
        _value(light, "direction", *lamp.dir)
        attenuation = _child(light, "attenuation")
        for name, value in zip(("constant", "linear", "quadratic"), lamp.attenuation, strict=True):
            _value(attenuation, name, value)
        _value(attenuation, "range", FAR_M)
        spot = _child(light, "spot")
        _value(spot, "inner_angle", 0.0)
        # SDF counts the whole cone, MuJoCo from its axis.
        _value(spot, "outer_angle", math.radians(2.0 * lamp.cutoff))
        _value(spot, "falloff", _SPOT_FALLOFF)


def _geoms(model: mujoco.MjModel, body: int) -> range:
    """Indices of a body's geoms."""
    first = int(model.body_geomadr[body])
    return range(first, first + int(model.body_geomnum[body]))


def _below(body: mujoco.MjsBody) -> list[mujoco.MjsBody]:
    """All bodies that a body carries, parents first."""
    return [one for child in body.bodies for one in (child, *_below(child))]


def _fixture(world: Element, name: str) -> Element:
    """The link of a new model that stands still."""
    fixture = _child(world, "model", name=name)
    _text(fixture, "static", "true")
    return _child(fixture, "link", name=name)


def _add_bodies(world: Element, bodies: list[mujoco.MjsBody], model: mujoco.MjModel) -> None:
    """One model: the first body and those that it carries, a link each."""
    moving = any(body.joints for body in bodies)
    root = model.body(bodies[0].name)
    element = _child(world, "model", name=root.name)
    if not moving:
        _text(element, "static", "true")
    if moving or np.any(root.pos) or root.quat[0] != 1.0:
        _pose(element, root.pos, root.quat)
    for body in bodies:
        compiled = model.body(body.name)
        link = _child(element, "link", name=body.name)
        if body is not bodies[0]:
            _pose(link, compiled.pos, compiled.quat).set("relative_to", body.parent.name)
        if moving:
            _add_inertial(link, compiled)
        for index, geom in enumerate(_geoms(model, compiled.id)):
            # Of two surfaces Gazebo takes the lesser friction, MuJoCo the greater: the fingers'.
            friction = model.geom_friction[:, 0].max() if moving else model.geom_friction[geom, 0]
            _add_geom(link, f"{body.name}_{index}", model, geom, float(friction))
    if moving:
        for body in bodies:
            _add_joint(element, body, model, "world" if body is bodies[0] else body.parent.name)


def _add_inertial(link: Element, body: Any) -> None:
    if not body.mass[0]:
        return
    inertial = _child(link, "inertial")
    _pose(inertial, body.ipos, body.iquat)
    _value(inertial, "mass", *body.mass)
    inertia = _child(inertial, "inertia")
    for name, value in zip(("ixx", "iyy", "izz"), body.inertia, strict=True):
        _value(inertia, name, value)
    for name in ("ixy", "ixz", "iyz"):
        _value(inertia, name, 0.0)


def _add_joint(element: Element, body: mujoco.MjsBody, model: mujoco.MjModel, parent: str) -> None:
    """What holds a body to its parent; a free body is held by nothing.

    Raises:
        UserError: a ball joint, or several joints of one body.
    """
    import mujoco

    kinds = [joint.type for joint in body.joints]
    if kinds == [mujoco.mjtJoint.mjJNT_FREE]:
        return
    names = {mujoco.mjtJoint.mjJNT_HINGE: "revolute", mujoco.mjtJoint.mjJNT_SLIDE: "prismatic"}
    if len(kinds) > 1 or any(kind not in names for kind in kinds):
        raise UserError(
            f"body {body.name!r}: a Gazebo world takes one hinge, slide or free joint a body"
        )
    number = int(model.body_jntadr[model.body(body.name).id])
    name = model.joint(number).name if kinds else ""
    joint = _child(
        element,
        "joint",
        name=name or f"{body.name}_joint",
        type=names[kinds[0]] if kinds else "fixed",
    )
    _text(joint, "parent", parent)
    _text(joint, "child", body.name)
    if not kinds:
        return
    _pose(joint, model.jnt_pos[number], np.array([1.0, 0.0, 0.0, 0.0]))
    axis = _child(joint, "axis")
    _value(axis, "xyz", *model.jnt_axis[number])
    if model.jnt_limited[number]:
        limit = _child(axis, "limit")
        for tag, value in zip(("lower", "upper"), model.jnt_range[number], strict=True):
            _value(limit, tag, value)
    dof = int(model.jnt_dofadr[number])
    dynamics = _child(axis, "dynamics")
    _value(dynamics, "damping", float(np.ravel(model.dof_damping[dof])[0]))
    _value(dynamics, "friction", model.dof_frictionloss[dof])


def _add_geom(
    link: Element, name: str, model: mujoco.MjModel, number: int, friction: float
) -> None:
    geom = model.geom(number)
    touched = geom.conaffinity[0] != 0
    for kind in ("collision", "visual") if touched else ("visual",):
        element = _child(link, kind, name=name)
        _pose(element, geom.pos, geom.quat)
        _add_shape(_child(element, "geometry"), geom)
        if kind == "collision":
            ode = _child(_child(_child(element, "surface"), "friction"), "ode")
            _value(ode, "mu", friction)
            _value(ode, "mu2", friction)
        else:
            material = _child(element, "material")
            _colour(material, "ambient", geom.rgba)
            _colour(material, "diffuse", geom.rgba)
            _colour(material, "specular", [0.0, 0.0, 0.0])


def _add_shape(geometry: Element, geom: Any) -> None:
    """MuJoCo's sizes are halves."""
    import mujoco

    size = geom.size
    match mujoco.mjtGeom(int(geom.type[0])):
        case mujoco.mjtGeom.mjGEOM_BOX:
            _value(_child(geometry, "box"), "size", *(2.0 * size))
        case mujoco.mjtGeom.mjGEOM_SPHERE:
            _value(_child(geometry, "sphere"), "radius", size[0])
        case mujoco.mjtGeom.mjGEOM_ELLIPSOID:
            _value(_child(geometry, "ellipsoid"), "radii", *size)
        case mujoco.mjtGeom.mjGEOM_CYLINDER | mujoco.mjtGeom.mjGEOM_CAPSULE:
            kind = "cylinder" if geom.type == mujoco.mjtGeom.mjGEOM_CYLINDER else "capsule"
            shape = _child(geometry, kind)
            _value(shape, "radius", size[0])
            _value(shape, "length", 2.0 * size[1])
        case other:
            raise UserError(f"geom {geom.name!r}: SDF has no shape for MuJoCo's {other.name}")


def _add_cameras(world: Element, spec: mujoco.MjSpec) -> None:
    cameras = _child(world, "model", name="cameras")
    _text(cameras, "static", "true")
    for camera in spec.cameras:
        mount = CAMERAS[camera.name]
        link = _child(cameras, "link", name=camera.name)
        _pose(link, camera.pos, _camera_quaternion(camera.quat))
        sensor = _child(link, "sensor", name=camera.name, type="camera")
        _text(sensor, "always_on", "true")
        _value(sensor, "update_rate", 1.0 / EMBEDDED_CELL.frame_period_s)
        # Gazebo publishes camera_info beside it.
        _text(sensor, "topic", f"{camera.name}/image_raw")
        _text(sensor, "gz_frame_id", f"{camera.name}_optical_frame")
        optics = _child(sensor, "camera")
        aspect = mount.width / mount.height
        vertical = math.radians(camera.fovy)
        _value(optics, "horizontal_fov", 2.0 * math.atan(aspect * math.tan(0.5 * vertical)))
        image = _child(optics, "image")
        _text(image, "width", str(mount.width))
        _text(image, "height", str(mount.height))
        _text(image, "format", "R8G8B8")
        clip = _child(optics, "clip")
        _value(clip, "near", NEAR_M)
        _value(clip, "far", FAR_M)


def _camera_quaternion(quaternion: np.ndarray) -> np.ndarray:
    """w, x, y, z of the SDF camera that sees what MuJoCo's sees."""
    import mujoco

    matrix, turned = np.zeros(9), np.zeros(4)
    mujoco.mju_quat2Mat(matrix, quaternion)
    mujoco.mju_mat2Quat(turned, (matrix.reshape(3, 3) @ _SDF_IN_MUJOCO_CAMERA).ravel())
    return turned

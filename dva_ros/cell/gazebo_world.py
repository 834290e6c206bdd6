"""The cell's surroundings as a Gazebo world (SDF), written from the MuJoCo model.

Everything but the robot: table, backdrop, tray, object, light and cameras. Gazebo spawns the robot
from its own description. ``worlds/cell.sdf`` is what `cell_world` returns.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UserError
from ..spec import EMBEDDED_CELL, SIDES
from .model import CAMERAS, build_model, build_spec

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
    # Compiling joins what does not move to the world's body: a description of its own for that.
    spec, model = build_spec(props), build_model(props)
    sdf = Element("sdf", version="1.9")
    world = _child(sdf, "world", name="dva_cell")
    _add_physics(world, model)
    for filename, name in SYSTEMS.items():
        plugin = _child(world, "plugin", filename=filename, name=name)
        if name.endswith("Sensors"):
            _text(plugin, "render_engine", "ogre2")
    _add_lights(world, spec)
    for geom in spec.worldbody.geoms:
        _add_fixture(world, geom.name, [geom])
    for body in spec.worldbody.bodies:
        if body.name.startswith(SIDES):
            continue
        if body.joints:
            _require_free(body)
            _add_free_body(world, body, model)
        else:
            _add_fixture(world, body.name, body.geoms)
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


def _pose(parent: Element, position: np.ndarray, quaternion: np.ndarray) -> None:
    """A pose from m and a quaternion w, x, y, z: angles lose a camera that looks straight down."""
    pose = _child(parent, "pose", rotation_format="quat_xyzw")
    pose.text = f"{_numbers(position)}  {_numbers(np.roll(quaternion, -1))}"


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


def _add_fixture(world: Element, name: str, geoms: list[mujoco.MjsGeom]) -> None:
    fixture = _child(world, "model", name=name)
    _text(fixture, "static", "true")
    link = _child(fixture, "link", name=name)
    for index, geom in enumerate(geoms):
        _add_geom(link, f"{name}_{index}", geom, float(geom.friction[0]))


def _require_free(body: mujoco.MjsBody) -> None:
    import mujoco

    if body.joints[0].type != mujoco.mjtJoint.mjJNT_FREE or body.bodies:
        raise UserError(
            f"body {body.name!r} has hinges, slides or bodies below it: not written to SDF yet"
        )


def _add_free_body(world: Element, body: mujoco.MjsBody, model: mujoco.MjModel) -> None:
    compiled = model.body(body.name)
    free = _child(world, "model", name=body.name)
    _pose(free, body.pos, body.quat)
    link = _child(free, "link", name=body.name)
    inertial = _child(link, "inertial")
    _pose(inertial, compiled.ipos, compiled.iquat)
    _value(inertial, "mass", *compiled.mass)
    inertia = _child(inertial, "inertia")
    for name, value in zip(("ixx", "iyy", "izz"), compiled.inertia, strict=True):
        _value(inertia, name, value)
    for name in ("ixy", "ixz", "iyz"):
        _value(inertia, name, 0.0)
    # Of two surfaces Gazebo takes the lesser friction, MuJoCo the greater: here the fingers'.
    friction = float(model.geom_friction[:, 0].max())
    for index, geom in enumerate(body.geoms):
        _add_geom(link, f"{body.name}_{index}", geom, friction)


def _add_geom(link: Element, name: str, geom: mujoco.MjsGeom, friction: float) -> None:
    touched = geom.conaffinity != 0
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


def _add_shape(geometry: Element, geom: mujoco.MjsGeom) -> None:
    """MuJoCo's sizes are halves."""
    import mujoco

    size = geom.size
    match geom.type:
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

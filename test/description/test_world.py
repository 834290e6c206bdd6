"""``worlds/cell.sdf`` and ``config/gz_bridge.yaml``: the simulated cell's scene in Gazebo.

Gazebo itself is not installed where these tests run. What its library sdformat understands of the
files is compared with MuJoCo's model and with the URDF.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
import yaml
from gz_programs import SDFORMAT, Facts, build, missing

from dva_ros.cell.description import robot_description
from dva_ros.cell.gazebo_world import SYSTEMS, cell_world
from dva_ros.cell.model import CAMERAS, build_model
from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks.pick_place.scene import CubeAndTray
from dva_ros.resources import config_path, resource_path
from dva_ros.spec import EMBEDDED_CELL, SIDES

WORLD = "worlds/cell.sdf"
BRIDGES: list[dict[str, Any]] = yaml.safe_load(config_path("gz_bridge").read_text())
TOLERANCE = 1e-6


def rotation(fact: dict[str, Any]) -> np.ndarray:
    """[3, 3] of a fact's quaternion w, x, y, z."""
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, np.array(fact["quaternion"]))
    return matrix.reshape(3, 3)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reason = missing(SDFORMAT, "libsdformat-dev")
    if reason is not None:
        pytest.skip(reason)
    return build("gz_sdf", SDFORMAT, tmp_path_factory.mktemp("sdformat"))


@pytest.fixture(scope="module")
def world(program: Path) -> Facts:
    return Facts(program, resource_path(WORLD))


@pytest.fixture(scope="module")
def robot(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    file = tmp_path_factory.mktemp("urdf") / "cell.urdf"
    file.write_text(robot_description(hardware="gazebo"))
    return Facts(program, file)


@pytest.fixture(scope="module")
def embedded() -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = build_model(CubeAndTray())
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def test_the_world_is_what_the_model_says() -> None:
    """Nobody has changed one without the other."""
    written = resource_path(WORLD).read_text(encoding="utf-8")
    assert written == cell_world(CubeAndTray()), "run: python scripts/write_world.py"


def test_sdformat_reads_the_world_without_complaint(world: Facts) -> None:
    assert world.errors == []
    assert world.warnings == []


def test_a_broken_world_is_reported(program: Path, tmp_path: Path) -> None:
    """The check can fail: a camera without optics, two models of one name."""
    text = resource_path(WORLD).read_text(encoding="utf-8")
    for name, broken in {
        "optics": text.replace("<width>128</width>", "<width>wide</width>"),
        "names": text.replace('<model name="tray">', '<model name="table">'),
    }.items():
        file = tmp_path / f"{name}.sdf"
        file.write_text(broken)
        assert Facts(program, file).errors, name


@pytest.mark.parametrize("name", CAMERAS)
def test_cameras_see_what_mujocos_see(
    name: str, world: Facts, embedded: tuple[mujoco.MjModel, mujoco.MjData]
) -> None:
    """Place, direction, up, field of view, size and rate of the simulated cell's cameras."""
    (model, data), camera = embedded, world.of("camera")[name]
    index = model.camera(name).id
    right, up, backward = data.cam_xmat[index].reshape(3, 3).T
    forward, left, above = rotation(camera).T
    np.testing.assert_allclose(camera["position"], data.cam_xpos[index], atol=TOLERANCE)
    np.testing.assert_allclose(forward, -backward, atol=TOLERANCE)
    np.testing.assert_allclose(left, -right, atol=TOLERANCE)
    np.testing.assert_allclose(above, up, atol=TOLERANCE)
    height, width = camera["size"]
    assert (height, width) == Cell.native_size[name]
    vertical = 2 * math.atan(math.tan(camera["horizontal_fov"][0] / 2) * height / width)
    assert math.degrees(vertical) == pytest.approx(model.cam_fovy[index], abs=TOLERANCE)
    assert camera["rate"][0] >= 1 / EMBEDDED_CELL.frame_period_s
    assert camera["frame"] == f"{name}_optical_frame"


def test_a_point_lies_in_the_same_pixel(
    world: Facts, embedded: tuple[mujoco.MjModel, mujoco.MjData]
) -> None:
    """The cube, projected by SDF's convention, is where MuJoCo drew it."""
    model, data = embedded[0], mujoco.MjData(embedded[0])
    for side in SIDES:
        data.joint(f"{side}_waist").qpos[0] = 2.0  # out of the picture
    mujoco.mj_forward(model, data)
    for name, mount in CAMERAS.items():
        camera = world.of("camera")[name]
        local = rotation(camera).T @ (data.body("object").xpos - camera["position"])
        focal = 0.5 * mount.width / math.tan(camera["horizontal_fov"][0] / 2)
        column = 0.5 * mount.width - focal * local[1] / local[0]
        row = 0.5 * mount.height - focal * local[2] / local[0]
        with mujoco.Renderer(model, mount.height, mount.width) as renderer:
            renderer.update_scene(data, name)
            red, green, blue = renderer.render().astype(int).transpose(2, 0, 1)
        rows, columns = np.nonzero((red > 2 * green) & (red > 2 * blue) & (red > 60))
        assert len(rows) > 4, name
        # MuJoCo shows the cube's visible faces, not its centre.
        assert abs(column - (columns.mean() + 0.5)) < 2.0, name
        assert abs(row - (rows.mean() + 0.5)) < 2.5, name


def test_the_scene_stands_where_mujocos_stands(
    world: Facts, embedded: tuple[mujoco.MjModel, mujoco.MjData]
) -> None:
    """Every box but the robot's: place and size; the object's mass; what is free to move."""
    model, data = embedded
    boxes = list(world.of("collision").values())
    robot_roots = {model.body(f"{side}_shoulder_link").id for side in SIDES}
    bases = [
        index
        for index in range(model.ngeom)
        if model.geom_bodyid[index] == 0
        and np.allclose(model.geom_size[index], [0.06, 0.06, 0.03])
    ]
    scene = [
        index
        for index in range(model.ngeom)
        if model.body_rootid[model.geom_bodyid[index]] not in robot_roots and index not in bases
    ]
    assert len(bases) == 2
    assert len(scene) == len(boxes) == 8
    for index in scene:
        matches = [
            box
            for box in boxes
            if np.allclose(box["position"], data.geom_xpos[index], atol=TOLERANCE)
            and np.allclose(box["size"], 2 * model.geom_size[index], atol=TOLERANCE)
            and np.allclose(rotation(box), data.geom_xmat[index].reshape(3, 3), atol=TOLERANCE)
        ]
        assert len(matches) == 1, (index, model.geom(index).name)
    models = world.of("model")
    assert set(models) == {"table", "backdrop", "tray", "object", "cameras"}
    assert [name for name, fact in models.items() if not fact["static"][0]] == ["object"]
    assert world.of("link")["object"]["mass"][0] == pytest.approx(model.body("object").mass[0])


def test_fingers_hold_the_object_as_firmly_as_in_mujoco(
    world: Facts, robot: Facts, embedded: tuple[mujoco.MjModel, mujoco.MjData]
) -> None:
    """Gazebo takes the lesser friction of two surfaces, MuJoCo the greater."""
    model, _ = embedded
    friction = model.geom_friction[:, 0]
    cube = model.body("object").geomadr[0]
    finger = model.body("left_finger_a").geomadr[0]
    table = model.geom("table").id
    theirs = {name: fact["friction"][0] for name, fact in world.of("collision").items()}
    fingertip = robot.of("collision")["left_finger_a_collision"]["friction"][0]
    assert min(fingertip, theirs["object_0"]) == max(friction[finger], friction[cube])
    assert min(theirs["table_0"], theirs["object_0"]) == max(friction[table], friction[cube])


def test_physics_and_systems_run(world: Facts, embedded: tuple[Any, Any]) -> None:
    """Step and gravity as in MuJoCo; what renders, shows and takes the robot in is loaded."""
    fact = world.of("world")["dva_cell"]
    assert fact["step"][0] == embedded[0].opt.timestep
    assert fact["gravity"] == list(embedded[0].opt.gravity)
    assert fact["lights"][0] >= 1
    assert {f["file"]: name for name, f in world.of("plugin").items()} == SYSTEMS
    assert {name.rpartition("::")[2] for name in SYSTEMS.values()} == {
        "Physics", "Sensors", "SceneBroadcaster", "UserCommands",
    }  # fmt: skip


def test_the_robot_survives_gazebos_conversion(robot: Facts) -> None:
    """Links, joints, axes and limits of the URDF, as sdformat makes a model of it."""
    root = ElementTree.fromstring(robot_description())
    assert robot.errors == []
    links = robot.of("link")
    assert set(links) == {
        link.get("name") for link in root.findall("link") if link.find("inertial") is not None
    }
    for link in root.findall("link"):
        mass = link.find("inertial/mass")
        if mass is not None:
            fact = links[str(link.get("name"))]
            assert fact["mass"][0] == pytest.approx(float(mass.get("value", "nan")))
            assert fact["collisions"] == [1]
    converted = robot.of("joint")
    for joint in root.findall("joint"):
        name, limit = str(joint.get("name")), joint.find("limit")
        if name.endswith("_grasp_fixed"):
            continue  # a massless frame; sdformat joins it to the palm
        fact = converted.pop(name)
        parent, child, axis = (joint.find(tag) for tag in ("parent", "child", "axis"))
        assert parent is not None and child is not None
        assert (fact["parent"], fact["child"]) == (parent.get("link"), child.get("link"))
        assert fact["type"] == joint.get("type")
        if limit is not None and axis is not None:
            assert fact["axis"] == [float(value) for value in axis.get("xyz", "").split()]
            fields = ("lower", "upper", "velocity", "effort")
            assert fact["limits"] == [float(limit.get(field, "nan")) for field in fields]
    assert converted == {}
    assert {name for name, fact in links.items() if not fact["gravity"][0]} == {
        name for name in links if not name.endswith("_base")
    }


def test_the_converted_robot_stands_where_pinocchio_puts_it(robot: Facts) -> None:
    """Poses of all links at zero, through sdformat's conversion."""
    pinocchio: Any = pytest.importorskip("pinocchio", reason="pinocchio is not installed")
    model = pinocchio.buildModelFromXML(robot_description())
    data = model.createData()
    pinocchio.framesForwardKinematics(model, data, pinocchio.neutral(model))
    for name, fact in robot.of("link").items():
        frame = data.oMf[model.getFrameId(name)]
        np.testing.assert_allclose(fact["position"], frame.translation, atol=TOLERANCE)
        np.testing.assert_allclose(rotation(fact), frame.rotation, atol=TOLERANCE)


def test_the_bridge_carries_the_worlds_topics() -> None:
    """The clock, and of every camera of the world its images and their description, lazily."""
    root = ElementTree.parse(resource_path(WORLD)).getroot()
    topics = [sensor.findtext("topic", "") for sensor in root.iter("sensor")]
    assert len(topics) == len(CAMERAS)
    images = {f"/{topic}": "gz.msgs.Image" for topic in topics}
    infos = {f"/{topic.rpartition('/')[0]}/camera_info": "gz.msgs.CameraInfo" for topic in topics}
    bridged = {bridge["gz_topic_name"]: bridge["gz_type_name"] for bridge in BRIDGES}
    assert bridged == {"/clock": "gz.msgs.Clock", **images, **infos}
    for bridge in BRIDGES:
        clock = bridge["gz_topic_name"] == "/clock"
        assert bridge["direction"] == "GZ_TO_ROS"
        assert bridge.get("lazy", False) is not clock
        assert bridge["ros_topic_name"] == bridge["gz_topic_name"].removeprefix(
            "" if clock else "/"
        )


@pytest.mark.ros
def test_the_bridge_publishes_what_camera_context_subscribes_to() -> None:
    """Names and types of images, asked of the running node, in a namespace."""
    import rclpy
    from rclpy.parameter import Parameter

    from dva_ros.nodes.camera_context import CameraContextNode

    rclpy.init(args=["--ros-args", "-r", "__ns:=/cell"])
    try:
        node = CameraContextNode(parameter_overrides=[Parameter("autostart", value=False)])
        node.trigger_configure()
        wanted = dict(node.get_subscriber_names_and_types_by_node("camera_context", "/cell"))
        node.destroy_node()
    finally:
        rclpy.shutdown()
    given = {
        f"/cell/{bridge['ros_topic_name']}": [bridge["ros_type_name"]]
        for bridge in BRIDGES
        if not bridge["ros_topic_name"].startswith("/")
    }
    images = {name: kinds for name, kinds in wanted.items() if name.endswith("/image_raw")}
    assert len(images) == len(CAMERAS)
    assert images == {name: kinds for name, kinds in given.items() if name in images}

"""The URDF is one robot for MuJoCo, Pinocchio, ros2_control and the scheduler's limits."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np
import pytest

from dva_ros.cell.description import robot_description
from dva_ros.cell.model import GRIPPER_FORCE_N, build_model
from dva_ros.cell.tasks.pick_place.scene import CubeAndTray
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL, SIDES

pinocchio: Any = pytest.importorskip(
    "pinocchio", reason="pinocchio is not installed: pip install pin"
)

NAMES = EMBEDDED_CELL.joint_names
LIMITS = JointLimits.load(config_path("joint_limits"), NAMES)
CONFIGURATIONS = np.random.default_rng(5).uniform(LIMITS.lower, LIMITS.upper, (200, len(NAMES)))
TOLERANCE = 1e-6

ROOT = ElementTree.fromstring(robot_description())
JOINTS = {str(joint.get("name")): joint for joint in ROOT.findall("joint")}
LINKS = {str(link.get("name")): link for link in ROOT.findall("link")}
SOLID = [name for name, link in LINKS.items() if link.find("collision") is not None]


def follower(name: str) -> str:
    return f"{name}_mimic"


@dataclass
class Pinocchio:
    """The description in Pinocchio, with its collision geometry."""

    model: Any = field(default_factory=lambda: pinocchio.buildModelFromXML(robot_description()))

    def __post_init__(self) -> None:
        self.data = self.model.createData()
        self.geometry = pinocchio.buildGeomFromUrdfString(
            self.model, robot_description(), pinocchio.GeometryType.COLLISION
        )
        self.geometry_data = self.geometry.createData()

    def place(self, positions: np.ndarray) -> None:
        """Set the 14 joints; the second fingers follow."""
        q = pinocchio.neutral(self.model)
        for name, value in zip(NAMES, positions, strict=True):
            for joint in (name, follower(name)):
                if self.model.existJointName(joint):
                    q[self.model.joints[self.model.getJointId(joint)].idx_q] = value
        pinocchio.framesForwardKinematics(self.model, self.data, q)
        pinocchio.updateGeometryPlacements(
            self.model, self.data, self.geometry, self.geometry_data, q
        )

    def link(self, name: str) -> Any:
        return self.data.oMf[self.model.getFrameId(name)]


@dataclass
class Mujoco:
    """A compiled model, placed as `Pinocchio` is."""

    model: mujoco.MjModel

    def __post_init__(self) -> None:
        self.data = mujoco.MjData(self.model)

    def place(self, positions: np.ndarray) -> None:
        for name, value in zip(NAMES, positions, strict=True):
            self.data.joint(name).qpos[0] = value
            if name.endswith("gripper"):
                self.data.joint(follower(name)).qpos[0] = value
        mujoco.mj_kinematics(self.model, self.data)


def every_body_model() -> mujoco.MjModel:
    """The URDF alone, with links that do not move as bodies of their own, too."""
    spec = mujoco.MjSpec.from_string(robot_description())
    spec.compiler.fusestatic = False
    return spec.compile()


def test_every_link_is_where_the_other_library_puts_it() -> None:
    """MuJoCo and Pinocchio agree on position and rotation of every link to 1e-6."""
    ours, theirs = Mujoco(every_body_model()), Pinocchio()
    assert len(LINKS) == 21
    for positions in CONFIGURATIONS:
        ours.place(positions)
        theirs.place(positions)
        for name in LINKS:
            body, frame = ours.data.body(name), theirs.link(name)
            assert np.abs(body.xpos - frame.translation).max() < TOLERANCE, name
            assert np.abs(body.xmat.reshape(3, 3) - frame.rotation).max() < TOLERANCE, name


def test_the_embedded_cells_boxes_are_those_of_the_collision_geometry() -> None:
    """Of the model that runs, also of the bases, which MuJoCo joins to the world."""
    ours, theirs = Mujoco(build_model(CubeAndTray())), Pinocchio()
    model = ours.model
    for positions in CONFIGURATIONS[:50]:
        ours.place(positions)
        theirs.place(positions)
        placed = theirs.geometry_data.oMg
        assert len(placed) == len(SOLID)
        for index, solid in enumerate(theirs.geometry.geometryObjects):
            half = np.asarray(solid.geometry.halfSide)
            distance = np.abs(ours.data.geom_xpos - placed[index].translation).max(1)
            distance += np.abs(model.geom_size - half).max(1)
            rotation = ours.data.geom_xmat.reshape(-1, 3, 3) - placed[index].rotation
            distance += np.abs(rotation).max((1, 2))
            assert distance.min() < TOLERANCE, solid.name


@pytest.mark.parametrize("side", SIDES)
def test_the_second_finger_mirrors_the_first(side: str) -> None:
    """In the description (mimic) and in MuJoCo (an equality that also holds under force)."""
    mimic = JOINTS[f"{side}_gripper_mimic"].find("mimic")
    assert mimic is not None
    assert mimic.attrib == {"joint": f"{side}_gripper", "multiplier": "1", "offset": "0"}
    theirs = Pinocchio()
    theirs.place(CONFIGURATIONS[0])
    palm = theirs.link(f"{side}_palm")
    first, second = (palm.actInv(theirs.link(f"{side}_finger_{finger}")) for finger in "ab")
    np.testing.assert_allclose(first.translation * [1, -1, 1], second.translation, atol=1e-9)
    assert first.translation[1] == pytest.approx(CONFIGURATIONS[0][NAMES.index(f"{side}_gripper")])

    model = build_model(CubeAndTray())
    data = mujoco.MjData(model)
    data.actuator(f"{side}_gripper").ctrl[0] = 0.04
    for _ in range(300):
        mujoco.mj_step(model, data)
    travel = [data.joint(f"{side}_gripper{suffix}").qpos[0] for suffix in ("", "_mimic")]
    np.testing.assert_allclose(travel, 0.04, atol=1e-3)


def inertial(link: ElementTree.Element) -> tuple[float, np.ndarray, np.ndarray]:
    """Mass, centre and inertia [3, 3] about it."""
    found = link.find("inertial")
    assert found is not None, link.get("name")
    mass, origin, tensor = (found.find(tag) for tag in ("mass", "origin", "inertia"))
    assert mass is not None and origin is not None and tensor is not None
    assert origin.get("rpy") is None
    values = {key: float(value) for key, value in tensor.items()}
    rows = [[values["i" + "".join(sorted(a + b))] for a in "xyz"] for b in "xyz"]
    centre = np.array(origin.get("xyz", "").split(), float)
    return float(mass.get("value", "nan")), centre, np.array(rows)


@pytest.mark.parametrize("name", SOLID)
def test_inertias_are_those_of_a_body(name: str) -> None:
    """Positive definite, triangle inequality, centre and size as the link's box says."""
    mass, centre, tensor = inertial(LINKS[name])
    moments = np.linalg.eigvalsh(tensor)
    assert mass > 0
    assert moments.min() > 0
    assert moments.sum() >= 2 * moments.max()
    origin, box = LINKS[name].find("collision/origin"), LINKS[name].find("collision/geometry/box")
    assert origin is not None and box is not None
    np.testing.assert_allclose(np.array(origin.get("xyz", "").split(), float), centre)
    size = np.array(box.get("size", "").split(), float)
    expected = mass / 12 * (np.sum(size**2) - size**2)
    np.testing.assert_allclose(tensor, np.diag(expected), rtol=1e-9, atol=1e-12)


def test_what_moves_has_mass_and_collision_geometry() -> None:
    """A simulator drops or refuses a moving link without."""
    moving = {
        str(joint.find("child").get("link"))  # type: ignore[union-attr]
        for joint in JOINTS.values()
        if joint.get("type") != "fixed"
    }
    assert len(moving) == 16
    assert moving <= set(SOLID)
    assert {name for name, link in LINKS.items() if link.find("inertial") is not None} == set(
        SOLID
    )


@pytest.mark.parametrize("name", [*NAMES, *(f"{side}_gripper_mimic" for side in SIDES)])
def test_limits_are_one_in_urdf_yaml_and_mujoco(name: str) -> None:
    """Positions in all three; velocities and efforts where they are said."""
    limit = JOINTS[name].find("limit")
    assert limit is not None
    lower, upper, velocity, effort = (
        float(limit.get(field, "nan")) for field in ("lower", "upper", "velocity", "effort")
    )
    index = NAMES.index(name.removesuffix("_mimic"))
    assert (lower, upper) == (LIMITS.lower[index], LIMITS.upper[index])
    assert velocity == LIMITS.velocity[index]
    model = build_model(CubeAndTray())
    assert model.joint(name).limited[0]
    np.testing.assert_allclose(model.joint(name).range, [lower, upper], atol=1e-9)
    if "gripper" in name:
        assert effort >= GRIPPER_FORCE_N
    assert effort > 0


@pytest.mark.parametrize("side", SIDES)
def test_the_second_finger_is_the_stronger(side: str) -> None:
    """Else, in Gazebo, what is held pushes it away from where the first one is."""
    first, second = (JOINTS[f"{side}_gripper{suffix}"].find("limit") for suffix in ("", "_mimic"))
    assert first is not None and second is not None
    assert float(second.get("effort", "nan")) > float(first.get("effort", "nan"))

"""The scheduler's motion limits are those of the robot description."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from dva_ros.cell.description import robot_description
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL


def test_position_and_velocity_limits_agree_with_the_urdf():
    root = ElementTree.fromstring(robot_description())
    described = {joint.get("name"): joint.find("limit") for joint in root.findall("joint")}
    limits = JointLimits.load(config_path("joint_limits"), EMBEDDED_CELL.joint_names)
    for index, name in enumerate(EMBEDDED_CELL.joint_names):
        limit = described[name]
        expected = [float(limit.get(field)) for field in ("lower", "upper", "velocity")]
        found = [limits.lower[index], limits.upper[index], limits.velocity[index]]
        np.testing.assert_allclose(found, expected, atol=1e-6, err_msg=name)

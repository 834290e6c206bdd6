"""The closed-form kinematics agree with the physics engine's and with themselves."""

import numpy as np
import pytest

from dva_ros.cell.kinematics import (
    UnreachableError,
    arm_geometry,
    forward_kinematics,
    inverse_kinematics_down,
)
from dva_ros.spec import ARM_JOINTS, SIDES


@pytest.fixture(scope="module")
def model_and_data():
    mujoco = pytest.importorskip("mujoco")
    from dva_ros.cell.model import build_model
    from dva_ros.cell.tasks.pick_place.scene import CubeAndTray

    model = build_model(CubeAndTray())
    return model, mujoco.MjData(model)


@pytest.mark.parametrize("side", SIDES)
def test_forward_kinematics_agrees_with_mujoco(side, model_and_data):
    import mujoco

    model, data = model_and_data
    geometry = arm_geometry(side)
    rng = np.random.default_rng(0)
    for q in rng.uniform(geometry.lower, geometry.upper, (50, 6)):
        for joint, value in zip(ARM_JOINTS, q, strict=True):
            data.joint(f"{side}_{joint}").qpos[0] = value
        mujoco.mj_kinematics(model, data)
        palm = data.body(f"{side}_palm")
        rotation = palm.xmat.reshape(3, 3)
        position, orientation = forward_kinematics(side, q)
        np.testing.assert_allclose(
            position, palm.xpos + rotation @ [0.08, 0.0, 0.0], rtol=0, atol=1e-9
        )
        np.testing.assert_allclose(orientation, rotation, rtol=0, atol=1e-9)


def test_forward_kinematics_is_vectorised_over_leading_axes():
    q = np.random.default_rng(1).uniform(-1, 1, (3, 4, 6))
    position, rotation = forward_kinematics("left", q)
    assert position.shape == (3, 4, 3) and rotation.shape == (3, 4, 3, 3)
    single, _ = forward_kinematics("left", q[2, 1])
    np.testing.assert_allclose(position[2, 1], single)


@pytest.mark.parametrize("side,sign", [("left", 1.0), ("right", -1.0)])
def test_inverse_kinematics_reaches_the_point_with_the_tool_down(side, sign):
    for x, y, z in [(0.0, 0.28, 0.2), (0.11, 0.15, 0.03), (-0.11, 0.27, 0.12), (0.0, 0.0, 0.06)]:
        target = np.array([x, sign * y, z])
        position, rotation = forward_kinematics(side, inverse_kinematics_down(side, target, 0.1))
        np.testing.assert_allclose(position, target, atol=1e-9)
        np.testing.assert_allclose(rotation[:, 0], [0, 0, -1], atol=1e-9)
        np.testing.assert_allclose(rotation[:, 1], [-np.sin(0.1), np.cos(0.1), 0], atol=1e-9)


def test_a_point_out_of_reach_is_refused_by_name():
    with pytest.raises(UnreachableError, match="left arm cannot reach"):
        inverse_kinematics_down("left", np.array([0.0, -0.5, 0.1]))

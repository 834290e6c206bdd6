"""``hardware:=…``: how each kind of hardware drives the joints, and with which controllers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from streams import LIMITS, SCALE, Stream, answer, engaged, frame, targets_after

from dva_ros.cell.controller import ControllerParameters, Generation
from dva_ros.cell.description import robot_description
from dva_ros.cell.kinematics import forward_kinematics
from dva_ros.cell.model import build_model
from dva_ros.cell.tasks.pick_place.scene import CubeAndTray
from dva_ros.errors import UserError
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL, SIDES

JOINTS = EMBEDDED_CELL.joint_names
SECOND_FINGERS = tuple(f"{side}_gripper_mimic" for side in SIDES)
PLUGINS = {
    "mock": "mock_components/GenericSystem",
    "gazebo": "gz_ros2_control/GazeboSimSystem",
    "real": "our_driver/OurSystem",
}
ARGUMENTS: dict[str, dict[str, str]] = {
    "none": {},
    "mock": {},
    "gazebo": {},
    "real": {
        "real_plugin": "our_driver/OurSystem",
        "left_real_params": "robot_ip=192.168.1.10 port=5000",
        "right_real_params": "robot_ip=192.168.1.11",
    },
}
CONTROLLERS = config_path("controllers")
PARAMETERS: dict[str, dict[str, Any]] = {
    key.removeprefix("/**/"): value["ros__parameters"]
    for key, value in yaml.safe_load(CONTROLLERS.read_text()).items()
}
MANAGER = PARAMETERS["controller_manager"]
TRAJECTORY_CONTROLLERS = tuple(name for name in PARAMETERS if name != "controller_manager")


def expanded(hardware: str) -> ElementTree.Element:
    return ElementTree.fromstring(robot_description(hardware=hardware, **ARGUMENTS[hardware]))


def interfaces(joint: ElementTree.Element, kind: str) -> set[str | None]:
    return {interface.get("name") for interface in joint.findall(f"{kind}_interface")}


@pytest.mark.parametrize("hardware", ARGUMENTS)
def test_hardware_changes_nothing_of_the_robot_itself(hardware: str) -> None:
    """Links and joints are those of the plain description, whoever drives them."""

    def robot(root: ElementTree.Element) -> list[str]:
        parts = [part for part in root if part.tag in ("link", "joint", "material")]
        return [ElementTree.canonicalize(ElementTree.tostring(part)) for part in parts]

    plain = ElementTree.fromstring(robot_description())
    assert robot(expanded(hardware)) == robot(plain)
    assert {part.tag for part in plain} == {"link", "joint"}


@pytest.mark.parametrize("hardware", PLUGINS)
def test_every_joint_is_driven_once(hardware: str) -> None:
    """A system an arm; position commands, positions and velocities measured."""
    systems = expanded(hardware).findall("ros2_control")
    assert [system.get("name") for system in systems] == [f"{side}_{hardware}" for side in SIDES]
    found = [joint for system in systems for joint in system.findall("joint")]
    commanded = [joint.get("name") for joint in found if joint.get("name") in JOINTS]
    assert commanded == list(JOINTS)
    for side, system in zip(SIDES, systems, strict=True):
        assert system.get("type") == "system"
        assert system.findtext("hardware/plugin") == PLUGINS[hardware]
        assert all(str(j.get("name")).startswith(f"{side}_") for j in system.findall("joint"))
    for joint in found:
        second = joint.get("name") in SECOND_FINGERS
        assert interfaces(joint, "command") == (set() if second else {"position"})
        assert interfaces(joint, "state") == {"position", "velocity"}
    others = {joint.get("name") for joint in found} - set(JOINTS)
    assert others == (set() if hardware == "real" else set(SECOND_FINGERS))


@pytest.mark.parametrize("hardware", ["mock", "gazebo"])
def test_without_a_robot_the_arms_start_above_the_table(hardware: str) -> None:
    """Where the simulated cell's scenes start on average, grippers open."""
    start = {
        str(joint.get("name")): float(joint.findtext("state_interface/param", "nan"))
        for joint in expanded(hardware).findall("ros2_control/joint")
    }
    assert set(start) == {*JOINTS, *SECOND_FINGERS}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        q = np.array([start[name] for name in JOINTS if name.startswith(side)])
        position, rotation = forward_kinematics(side, q[:6])
        np.testing.assert_allclose(position, [0.0, sign * 0.31, 0.20], atol=2e-4)
        np.testing.assert_allclose(rotation[:, 0], [0, 0, -1], atol=2e-4)
        assert start[f"{side}_gripper"] == start[f"{side}_gripper_mimic"] == 0.045
    values = np.array([start[name] for name in JOINTS])
    assert ((values > LIMITS.lower) & (values < LIMITS.upper)).all()


def test_real_hardware_gets_its_parameters() -> None:
    """Each arm its own, as the driver calls them; no start position: it is where it is."""
    left, right = expanded("real").findall("ros2_control")

    def given(system: ElementTree.Element) -> dict[str | None, str | None]:
        return {param.get("name"): param.text for param in system.findall("hardware/param")}

    assert given(left) == {"robot_ip": "192.168.1.10", "port": "5000"}
    assert given(right) == {"robot_ip": "192.168.1.11"}
    assert not [*left.findall("joint//param"), *right.findall("joint//param")]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"hardware": "rael"}, "must be none, mock, gazebo or real, got rael"),
        ({"hardware": "real"}, "needs real_plugin"),
        (
            {"hardware": "real", "real_plugin": "a/B", "left_real_params": "robot_ip"},
            "name=value",
        ),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        robot_description(**arguments)


def test_gazebo_loads_the_controllers_and_does_as_mujoco_does() -> None:
    """Its plugin's file and gain, gravity of the arms compensated, fingers that do not slip."""
    root, model = expanded("gazebo"), build_model(CubeAndTray())
    plugin = root.find("gazebo/plugin")
    assert plugin is not None
    assert plugin.get("name") == "gz_ros2_control::GazeboSimROS2ControlPlugin"
    assert plugin.find("ros") is None
    file = Path(plugin.findtext("parameters", ""))
    assert file.is_absolute()
    assert file.samefile(CONTROLLERS)

    gain = float(plugin.findtext("position_proportional_gain", "nan"))
    lag = 1.0 / (gain * MANAGER["update_rate"])
    servos = [
        (model.dof_damping[model.joint(name).dofadr[0]] - model.actuator(name).biasprm[2])
        / model.actuator(name).gainprm[0]
        for name in JOINTS
    ]
    assert min(servos) < lag < max(servos)
    assert max(servos) < 0.04

    links = {part.get("reference"): part for part in root.findall("gazebo[@reference]")}
    weightless = {name for name, part in links.items() if part.findtext("gravity") == "false"}
    arms = {model.body(i).name for i in range(1, model.nbody) if model.body_gravcomp[i] == 1.0}
    assert weightless == arms
    for side in SIDES:
        for finger in "ab":
            geom = model.body(f"{side}_finger_{finger}").geomadr[0]
            tip = links[f"{side}_finger_{finger}"]
            for field in ("mu1", "mu2"):
                assert float(tip.findtext(field, "nan")) == model.geom_friction[geom, 0]


def test_a_namespace_reaches_gazebos_controllers() -> None:
    root = ElementTree.fromstring(robot_description(hardware="gazebo", namespace="cell_2"))
    assert root.findtext("gazebo/plugin/ros/namespace") == "/cell_2"


def test_controllers_have_every_joint_once() -> None:
    """An arm and a gripper controller a side, in the order of the cell's joints."""
    names = [joint for name in TRAJECTORY_CONTROLLERS for joint in PARAMETERS[name]["joints"]]
    assert names == list(JOINTS)
    assert set(TRAJECTORY_CONTROLLERS) == {
        f"{side}_{part}_controller" for side in SIDES for part in ("arm", "gripper")
    }


def test_the_manager_knows_every_controller() -> None:
    """Their types, its rate (the scheduler's default), and that it enforces limits."""
    kinds = {name: value["type"] for name, value in MANAGER.items() if isinstance(value, dict)}
    trajectories = "joint_trajectory_controller/JointTrajectoryController"
    assert kinds == {
        "joint_state_broadcaster": "joint_state_broadcaster/JointStateBroadcaster",
        **dict.fromkeys(TRAJECTORY_CONTROLLERS, trajectories),
    }
    assert 1.0 / MANAGER["update_rate"] == LeapfrogParameters().controller_period_s
    assert MANAGER["enforce_command_limits"] is True


@pytest.mark.parametrize("hardware", PLUGINS)
def test_controllers_find_their_interfaces(hardware: str) -> None:
    """Every command and state interface that a controller claims is there."""
    driven = {
        joint.get("name"): joint for joint in expanded(hardware).findall("ros2_control/joint")
    }
    for name in TRAJECTORY_CONTROLLERS:
        for joint in PARAMETERS[name]["joints"]:
            for kind in ("command", "state"):
                claimed = set(PARAMETERS[name][f"{kind}_interfaces"])
                assert claimed <= interfaces(driven[joint], kind)


def emulated(name: str) -> ControllerParameters:
    """The emulation's parameters from the file's."""
    values = PARAMETERS[name]
    fields = (
        "interpolate_from_desired_state",
        "allow_nonzero_velocity_at_trajectory_end",
        "allow_partial_joints_goal",
        "allow_trajectory_replacement",
    )
    return ControllerParameters(
        state_interfaces=tuple(values["state_interfaces"]),
        update_rate=MANAGER["update_rate"],
        **{field: values[field] for field in fields},
    )


def test_controllers_differ_in_their_joints_only() -> None:
    """The emulation plays them all with one's parameters."""
    first, *others = (dict(PARAMETERS[name]) for name in TRAJECTORY_CONTROLLERS)
    for other in others:
        assert {**other, "joints": []} == {**first, "joints": []}
    assert first["cmd_timeout"] == 0.0
    assert first["constraints"] == {"goal_time": 0.0}


@pytest.mark.parametrize("generation", list(Generation))
def test_a_stream_through_these_controllers_has_no_step(generation: Generation) -> None:
    """Scheduler, the file's parameters, every generation of the controller; late noisy chunks."""
    rng = np.random.default_rng(7)
    groups = tuple(tuple(PARAMETERS[name]["joints"]) for name in TRAJECTORY_CONTROLLERS)
    parameters = emulated(TRAJECTORY_CONTROLLERS[0])
    stream = Stream(engaged(), generation, groups, parameters=parameters)
    due: list[tuple[float, Any]] = []
    for tick in range(200):
        now = tick * 0.01
        for time, chunk in [item for item in due if item[0] <= now]:
            due.remove((time, chunk))
            stream.send(stream.leapfrog.accept(chunk, now), now)
        if tick % 10 == 0:
            request = stream.leapfrog.on_frame(frame(tick // 10), now).request
            if request is not None:
                targets = targets_after(request.frame_index)
                targets += 0.003 * SCALE * rng.normal(0, 1, targets.shape)
                due.append((now + rng.uniform(0.15, 0.25), answer(request, targets)))
        stream.tick(now)
    assert stream.refusals == []
    assert np.ptp(np.stack(stream.commands), axis=0).min() > 0.005
    assert stream.steps.velocity_ratio <= 1.005
    assert stream.steps.position_step_rad < 1e-4


@pytest.mark.ros
@pytest.mark.parametrize("namespace", ["", "cell_2"])
def test_ros_reads_the_controllers_file(namespace: str) -> None:
    """The real parser of ROS 2 gives each node its parameters, in any namespace."""
    import rclpy

    rclpy.init()
    try:
        for name, expected in PARAMETERS.items():
            node = rclpy.create_node(
                name,
                namespace=namespace,
                use_global_arguments=False,
                cli_args=["--ros-args", "--params-file", str(CONTROLLERS)],
                automatically_declare_parameters_from_overrides=True,
            )
            values = {key: p.value for key, p in node.get_parameters_by_prefix("").items()}
            node.destroy_node()
            for key, value in flat(expected).items():
                assert values[key] == value, (name, key)
    finally:
        rclpy.shutdown()


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested parameters by their dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found

"""What new-cell makes of findings: joints, arms, limits, cameras, timing, and what it says is
missing. Without ROS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from seven_joint_arms import ARM_JOINTS, JOINTS, LIFT, urdf

import dva_ros.__main__ as cli
from dva_ros.cell.description import robot_description
from dva_ros.data.lerobot_format import frame_rate
from dva_ros.doctor.configuration import limit_excesses
from dva_ros.errors import UserError
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.new_cell.cameras import Camera, choose_cameras, cropped, fit_mosaic
from dva_ros.new_cell.checkpoints import Trained
from dva_ros.new_cell.commented_yaml import Line, mapping
from dva_ros.new_cell.controllers import choose_controllers
from dva_ros.new_cell.files import write
from dva_ros.new_cell.findings import FoundController, ImageTopic, JointTopic, LiveCell, Timing
from dva_ros.new_cell.grid_timing import GridTiming
from dva_ros.new_cell.limits import joint_entry, read_limits
from dva_ros.new_cell.proposal import Proposal, Wishes, propose
from dva_ros.robot.arms import arms_of, is_gripper
from dva_ros.robot.description import Description
from dva_ros.spec import EMBEDDED_CELL, CameraSpec, CellSpec


def timing(rate_hz: float, latency_s: float = 0.01) -> Timing:
    return Timing(100, rate_hz, 1 / rate_hz, latency_s, latency_s, latency_s)


def image(topic: str, height: int = 480, width: int = 640, **other: object) -> ImageTopic:
    fields = {"compressed": False, "encoding": "rgb8", "timing": timing(30), **other}
    return ImageTopic(topic, height=height, width=width, **fields)  # type: ignore[arg-type]


def controller(name: str, joints: tuple[str, ...]) -> FoundController:
    return FoundController(
        name, joints, topic=True, state_type="dva_msgs/ControllerState", timing=timing(100)
    )


SECOND = LiveCell(
    images=(
        image("top/image_raw"),
        image("side/image_raw/compressed", compressed=True, encoding="jpeg"),
        image("wrist/image_raw", 240, 320),
    ),
    joint_states=(
        JointTopic("joint_states", ("/broadcaster",), ((*JOINTS, LIFT),), timing=timing(100)),
    ),
    controllers=(controller("port", ARM_JOINTS[0]), controller("starboard", ARM_JOINTS[1])),
    update_rate_hz=250.0,
)


def proposed(live: LiveCell = SECOND, text: str | None = None, **wishes: object) -> Proposal:
    description = Description.parse(text or urdf(), "of the test")
    return propose(live, description, Wishes(**wishes), Path("/cell"))  # type: ignore[arg-type]


def values(proposal: Proposal, node: str) -> dict[str, object]:
    return {line.key: line.value for line in proposal.nodes[node]}


def test_the_urdf_says_what_moves_how_far_and_what_it_does_not_know() -> None:
    description = Description.parse(urdf('velocity="0"'), "")
    assert [joint.name for joint in description.moving] == [LIFT, *JOINTS]
    soft, turning = description.find("port_axis_2"), description.find("port_axis_7")
    assert soft is not None and (soft.lower, soft.upper) == (-2.0, 2.1)
    assert turning is not None and turning.lower is None
    assert soft.velocity is None, "exporters write 0 where they do not know"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<robot><joint", "is no XML"),
        ("<sdf/>", "has no <robot> at its top, but <sdf>"),
        ("<robot><link name='a'/></robot>", "no joint that moves"),
        ("<robot><joint name='a' type='revolute'/></robot>", "joint a has no parent link"),
        (urdf('velocity="fast"'), "velocity is no number: 'fast'"),
    ],
)
def test_an_unreadable_urdf_is_refused_by_name(
    tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "robot.urdf"
    file.write_text(text)
    arguments = ["new-cell", "--no-topics", "--output", str(tmp_path / "cell")]
    assert cli.main([*arguments, "--urdf", str(file)]) == 2
    error = capsys.readouterr().err
    assert str(file) in error and said in error
    assert not (tmp_path / "cell").exists()


def test_nothing_to_look_at_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new-cell", "--no-topics", "--output", str(tmp_path / "cell")]) == 2
    assert "no topics of a cell and no URDF" in capsys.readouterr().err


def test_arms_are_branches_of_five_joints_and_fingers_are_none() -> None:
    arms = arms_of(Description.parse(urdf(), ""), JOINTS)
    assert [(arm.prefix, arm.joints) for arm in arms] == [
        ("port_", ARM_JOINTS[0]),
        ("starboard_", ARM_JOINTS[1]),
    ]
    embedded = Description.parse(robot_description(), "")
    assert [arm.prefix for arm in arms_of(embedded, EMBEDDED_CELL.joint_names)] == [
        "left_",
        "right_",
    ]
    (single,) = arms_of(Description.parse(urdf(), ""), ARM_JOINTS[0])
    assert single.joints == ARM_JOINTS[0]


def test_grippers_are_told_by_name_or_by_sliding_at_the_end() -> None:
    description = Description.parse(urdf().replace("finger", "tool"), "")
    assert is_gripper("port_tool", description)
    assert not is_gripper(LIFT, description)
    assert is_gripper("robotiq_85_left_knuckle_joint", None)


def test_limits_are_the_urdfs_a_third_of_speed_and_a_rule(tmp_path: Path) -> None:
    proposal = proposed()
    assert proposal.missing == []
    write(proposal, tmp_path, force=False)
    limits = JointLimits.load(tmp_path / "joint_limits.yaml", JOINTS)
    axis, turning, finger = (JOINTS.index(f"port_{n}") for n in ("axis_2", "axis_7", "finger"))
    assert (limits.lower[axis], limits.upper[axis]) == (-2.0, 2.1)
    assert limits.velocity[axis] == pytest.approx(0.8)
    assert limits.upper[turning] == pytest.approx(np.pi, abs=1e-3)
    assert limits.correction[finger] == pytest.approx(0.04)
    assert limits.tracking[finger] > 0.04, "a gripper that holds something is never there"
    stop = limits.velocity / (0.5 * limits.acceleration) + limits.acceleration / limits.jerk
    assert stop.max() < 0.61
    assert limit_excesses(limits, Description.parse(urdf(), "")) == []
    faster = replace(limits, velocity=limits.velocity * 4)
    assert "port_axis_1: max_velocity 3.2, the URDF has 2.4" in limit_excesses(
        faster, Description.parse(urdf(), "")
    )


def test_the_robots_own_joint_limits_go_before_the_urdf(tmp_path: Path) -> None:
    file = tmp_path / "moveit.yaml"
    entry = {"has_velocity_limits": True, "max_velocity": 1.2}
    entry |= {"has_acceleration_limits": True, "max_acceleration": 3.0, "has_jerk_limits": False}
    file.write_text(yaml.safe_dump({"joint_limits": {"port_axis_1": entry}}))
    joint = Description.parse(urdf(), "").find("port_axis_1")
    found = joint_entry("port_axis_1", joint, read_limits(file)["port_axis_1"], False, speed=0.5)
    assert found.values["max_velocity"].number == pytest.approx(0.6)
    assert found.values["max_acceleration"].number == pytest.approx(1.5)
    assert found.values["min_position"].number == -2.9


def test_a_urdf_without_limits_leaves_nulls_that_the_scheduler_refuses(tmp_path: Path) -> None:
    proposal = proposed(text=urdf(""))
    assert any(
        "port_axis_1: fill in max_velocity, max_acceleration" in text for text in proposal.missing
    )
    write(proposal, tmp_path, force=False)
    assert "null" in (tmp_path / "joint_limits.yaml").read_text()
    with pytest.raises(UserError, match="port_axis_1"):
        JointLimits.load(tmp_path / "joint_limits.yaml", JOINTS)


def test_a_second_robot_becomes_a_configuration() -> None:
    proposal = proposed()
    spec = values(proposal, "")
    assert spec["cameras"] == ["side", "top", "wrist"]
    assert spec["joints"] == list(JOINTS), "the lift is in no controller"
    assert (spec["mosaic_heights"], spec["mosaic_width"]) == ([48, 48, 48], 64)
    context = values(proposal, "camera_context")
    assert context["transports"] == ["compressed", "raw", "raw"]
    assert context["native_widths"] == [640, 640, 320]
    assert "image_topics" not in context
    scheduler = values(proposal, "leapfrog_scheduler")
    assert scheduler["controllers"] == ["port", "starboard"]
    assert scheduler["controller_period_s"] == 0.004
    assert scheduler["arm_prefixes"] == ["port_", "starboard_"]
    assert not scheduler["engage_on_activate"] and scheduler["single_step"]
    assert any(LIFT in line for line in proposal.found)
    assert any("no checkpoint fits" in step for step in proposal.steps)


def test_cameras_can_be_chosen_ordered_and_renamed() -> None:
    proposal = proposed(
        cameras={"overhead": "top/image_raw", "front": "side/image_raw/compressed"}
    )
    assert values(proposal, "")["cameras"] == ["overhead", "front"]
    context = values(proposal, "camera_context")
    assert context["image_topics"] == ["top/image_raw", "side/image_raw"]
    with pytest.raises(UserError, match=r"overhead=up/image_raw.*top/image_raw"):
        proposed(cameras={"overhead": "up/image_raw"})


def test_depth_and_copies_of_an_image_are_no_cameras() -> None:
    found = [
        image("cam/color/image_raw"),
        image("cam/color/image_raw/compressed", compressed=True),
        image("cam/color/image_rect"),
        image("cam/depth/image_raw", encoding="16UC1"),
        image("other/image_raw", encoding="32FC1"),
        image("imagination_display/strip"),
    ]
    (camera,) = choose_cameras(found, {})
    assert (camera.name, camera.source.topic) == ("cam", "cam/color/image_raw")


def test_wide_images_are_cropped_where_they_do_not_stack() -> None:
    cameras = (Camera("a", image("a/image_raw", 720, 1280)),)
    assert fit_mosaic(cameras) is None
    four = fit_mosaic(cameras * 4)
    assert four is not None and four[0].height == 72, "4 x 36 rows are patches; none can be halved"
    sizes = fit_mosaic(cropped(cameras))
    assert sizes is not None and (sizes[0].height, sizes[0].width) == (48, 64)
    live = replace(SECOND, images=(cameras[0].source,))
    assert values(proposed(live), "camera_context")["crop"] == [160, 0, 960, 720]


@pytest.mark.parametrize(
    ("rate_hz", "expected"),
    [(10, (0.1, 0.06, 0.08)), (30, (0.1, 0.02, 0.06)), (5, (0.2, 0.12, 0.12))],
)
def test_the_grid_follows_the_slowest_camera(
    rate_hz: float, expected: tuple[float, float, float]
) -> None:
    camera = Camera("a", image("a/image_raw", timing=timing(rate_hz)))
    found = GridTiming.of([camera], None)
    assert (found.frame_period_s, found.tolerance_s, found.max_delay_s) == pytest.approx(expected)


@pytest.mark.parametrize(("rate_hz", "grid_hz"), [(9.8, 10), (7.2, 7), (6.98, 7), (6.5, 6)])
def test_a_slower_grid_has_whole_frames_a_second(rate_hz: float, grid_hz: int) -> None:
    """Datasets hold no others."""
    camera = Camera("a", image("a/image_raw", timing=timing(rate_hz)))
    period_s = GridTiming.of([camera], None).frame_period_s
    spec = CellSpec((CameraSpec("a", 16, 16),), ("j",), period_s)
    assert frame_rate(spec) == grid_hz


def test_sliding_fingers_are_named_as_grippers() -> None:
    """Their names do not end in gripper; where they do, nothing need be said."""
    nodes = proposed(SECOND)
    assert values(nodes, "")["gripper_joints"] == ["port_finger", "starboard_finger"]


def test_two_publishers_of_joint_states_are_named() -> None:
    halves = JointTopic("joint_states", ("/a", "/b"), ARM_JOINTS, timing=timing(100))
    said = "\n".join(proposed(replace(SECOND, joint_states=(halves,))).missing)
    assert "joint_states has 2 publishers (/a, /b)" in said
    assert "no message has all of them" in said


def test_controllers_that_share_a_joint_are_a_problem_and_inactive_ones_are_left_out() -> None:
    twice = (*SECOND.controllers, controller("scaled", ARM_JOINTS[0]))
    said = "\n".join(proposed(replace(SECOND, controllers=twice)).missing)
    assert "port_axis_1 is in controller port and scaled" in said
    sleeping = replace(controller("scaled", ()), timing=None)
    choice = choose_controllers((*SECOND.controllers, sleeping), ())
    assert [one.name for one in choice.controllers] == ["port", "starboard"]
    assert "scaled" in choice.left_out


def test_arms_whose_links_cannot_be_told_apart_are_a_problem() -> None:
    text = (
        urdf(links="{side}")
        .replace('link name="port', 'link name="left')
        .replace('link="port', 'link="left')
    )
    proposal = proposed(text=text)
    assert values(proposal, "leapfrog_scheduler")["arm_prefixes"] is None
    assert any("prefixes of their own" in said for said in proposal.missing)


def test_a_checkpoint_of_the_same_names_gives_the_order(tmp_path: Path) -> None:
    description = Description.parse(robot_description(), "")
    live = LiveCell(
        images=(image("front/image_raw", 64, 128), image("overhead/image_raw", 96, 128))
    )
    trained = [Trained(tmp_path, EMBEDDED_CELL)]
    proposal = propose(live, description, Wishes(), tmp_path, trained)
    assert values(proposal, "")["cameras"] == ["overhead", "front"]
    assert values(proposal, "video_predictor")["checkpoint"] == str(tmp_path / "video")


def test_files_are_not_written_over_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    robot = tmp_path / "robot.urdf"
    robot.write_text(urdf())
    arguments = ["new-cell", "--no-topics", "--urdf", str(robot), "--output", str(tmp_path)]
    assert cli.main(arguments) == 1, "without topics there are no cameras and controllers"
    mine = tmp_path / "cell.yaml"
    mine.write_text("mine")
    assert cli.main(arguments) == 2
    assert mine.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert cli.main([*arguments, "--force"]) == 1
    assert yaml.safe_load(mine.read_text())["/**"]["ros__parameters"]["joints"] == [LIFT, *JOINTS]


def test_names_that_yaml_would_read_as_something_else_are_quoted() -> None:
    names = ["on", "1e3", "a: b", "null", *(f"a_rather_long_joint_name_{i}" for i in range(9))]
    text = mapping([Line("joints", names, "why"), Line("none", None, "MISSING: it")], "  ")
    assert yaml.safe_load(text) == {"joints": names, "none": None}
    assert "# why" in text and max(map(len, text.splitlines())) <= 99

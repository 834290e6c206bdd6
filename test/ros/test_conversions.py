"""Messages keep everything that the core's types hold, and bad ones are refused by reason."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from rclpy.serialization import deserialize_message, serialize_message  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from trajectory_msgs.msg import JointTrajectoryPoint  # noqa: E402

from dva_msgs import msg as dva  # noqa: E402
from dva_ros.context.frame import ContextFrame  # noqa: E402
from dva_ros.leapfrog.messages import Request  # noqa: E402
from dva_ros.ros import conversions as convert  # noqa: E402
from dva_ros.trajectory import Trajectory, TrajectoryPoint  # noqa: E402

RNG = np.random.default_rng(0)
NAMES = ("left_waist", "left_gripper")


def over_the_wire(message: object) -> object:
    return deserialize_message(serialize_message(message), type(message))


def random_image(height: int = 6, width: int = 5) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_context_frame_survives_the_wire() -> None:
    frame = ContextFrame(
        7,
        12,
        1.79e9 + 0.25,
        random_image(),
        np.array([0.1, -2.0], np.float32),
        np.array([0.0, 1.0], np.float32),
        (False, True),
        (0.0, 0.25),
        True,
        "lift the box",
    )
    message = over_the_wire(convert.context_frame_to_msg(frame, ("a", "b"), NAMES, 0.01))
    back = convert.context_frame_from_msg(message)
    assert (back.session, back.index, back.instruction) == (7, 12, "lift the box")
    assert back.stamp == pytest.approx(frame.stamp, abs=1e-6)
    assert (back.mosaic == frame.mosaic).all()
    assert (back.position == frame.position).all()
    assert back.camera_missing == (False, True)
    assert back.joints_missing
    assert back.camera_age_s == pytest.approx((0.0, 0.25))


def test_an_image_survives_the_wire() -> None:
    image = random_image()
    message = over_the_wire(convert.image_to_msg(image, 12.5, "overhead_optical_frame"))
    assert (convert.image_from_msg(message) == image).all()


@pytest.mark.parametrize("encoding", ["bgr8", "rgba8", "bgra8"])
def test_other_colour_orders_become_rgb(encoding: str) -> None:
    image = random_image()
    pixels = image[..., ::-1] if encoding.startswith("bgr") else image
    if "a" in encoding:
        pixels = np.concatenate([pixels, np.zeros_like(pixels[..., :1])], axis=-1)
    message = Image(height=6, width=5, encoding=encoding, step=5 * pixels.shape[-1])
    message.data.frombytes(np.ascontiguousarray(pixels))
    assert (convert.image_from_msg(message) == image).all()


def test_padding_at_the_end_of_rows_is_left_out() -> None:
    image = random_image()
    rows = np.zeros((6, 20), np.uint8)
    rows[:, :15] = image.reshape(6, 15)
    message = Image(height=6, width=5, encoding="rgb8", step=20)
    message.data.frombytes(rows)
    assert (convert.image_from_msg(message) == image).all()


@pytest.mark.parametrize(
    ("encoding", "size", "said"), [("32FC1", 600, "32FC1"), ("rgb8", 31, "31 bytes")]
)
def test_an_unusable_image_says_why(encoding: str, size: int, said: str) -> None:
    message = Image(height=6, width=5, encoding=encoding, step=15)
    message.data.frombytes(bytes(size))
    with pytest.raises(convert.MessageError, match=said):
        convert.image_from_msg(message)


def test_a_trajectory_survives_the_wire_with_absent_fields() -> None:
    trajectory = Trajectory(
        NAMES,
        (
            TrajectoryPoint(np.array([0.1, 0.2]), 0.02, velocities=np.array([1.0, 2.0])),
            TrajectoryPoint(np.array([0.3, 0.4]), 1.123456789),
        ),
        stamp=1.79e9 + 0.5,
    )
    back = convert.trajectory_from_msg(over_the_wire(convert.trajectory_to_msg(trajectory)))
    assert back.joint_names == NAMES
    assert back.stamp == pytest.approx(trajectory.stamp, abs=1e-6)
    assert [p.time_from_start for p in back.points] == pytest.approx([0.02, 1.123456789], abs=1e-9)
    assert back.points[0].velocities is not None
    assert back.points[1].velocities is None
    assert back.points[1].positions == pytest.approx([0.3, 0.4])


def test_a_request_keeps_its_ids_and_motion() -> None:
    committed = RNG.normal(size=(3, 2)).astype(np.float32)
    request = Request(5, 9, 40, 12.5, committed, np.zeros(2), num_steps=4)
    message = over_the_wire(convert.request_to_msg(request, NAMES))
    assert (message.session, message.request_id, message.frame_index) == (5, 9, 40)
    assert (convert.targets(message.committed, 2) == committed).all()
    assert message.committed_frames == 3
    assert message.num_steps == 4


def test_numbers_that_fill_no_whole_rows_are_refused() -> None:
    with pytest.raises(convert.MessageError, match="5 numbers"):
        convert.targets([0.0] * 5, 2)


def test_stamps_round_to_nanoseconds_and_carry() -> None:
    assert convert.stamp_of(1.9999999999).sec == 2
    assert convert.seconds_of(convert.stamp_of(3.25)) == 3.25


def _controller_state(output: list[float], **reference: list[float]) -> dva.ControllerState:
    return dva.ControllerState(
        header=convert.header(12.5),
        joint_names=["a", "b"],
        reference=JointTrajectoryPoint(**reference),
        output=JointTrajectoryPoint(positions=output),
    )


def test_a_controllers_state_is_read_with_absent_fields() -> None:
    """Older controllers send no output, and position controllers no derivatives."""
    state = convert.controller_setpoint_from_msg(_controller_state([], positions=[1.0, 2.0]))
    assert (state.stamp, state.joint_names) == (12.5, ("a", "b"))
    assert state.output.tolist() == state.positions.tolist() == [1.0, 2.0]
    assert state.velocities.tolist() == state.accelerations.tolist() == [0.0, 0.0]
    state = convert.controller_setpoint_from_msg(
        _controller_state([1.5, 2.5], positions=[1.0, 2.0])
    )
    assert (state.output.tolist(), state.positions.tolist()) == ([1.5, 2.5], [1.0, 2.0])


@pytest.mark.parametrize(
    ("output", "reference", "said"),
    [
        ([], {}, "output has 0 values for 2 joints"),
        ([1.0, float("nan")], {"positions": [1.0, 2.0]}, "output of b is not finite"),
        ([1.0, 2.0], {"positions": [1.0, 2.0], "velocities": [1.0]}, "velocities has 1 values"),
    ],
)
def test_an_unusable_controllers_state_says_why(
    output: list[float], reference: dict[str, list[float]], said: str
) -> None:
    """Nothing is taken over from what is not known."""
    with pytest.raises(convert.MessageError, match=said):
        convert.controller_setpoint_from_msg(_controller_state(output, **reference))

"""Messages to the core's types and back. Pixels are copied once at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration
from builtin_interfaces.msg import Time as TimeMsg
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dva_msgs import msg as dva

from ..cell.controller import ControllerState
from ..cell.controller import JointState as ControllerJointState
from ..context.frame import ContextFrame
from ..context.image_decoding import ImageError
from ..context.picture import CompressedPicture, RawPicture
from ..errors import UserError
from ..leapfrog.controller_setpoint import ControllerSetpoint
from ..leapfrog.messages import Chunk, Frame, Request
from ..trajectory import Trajectory, TrajectoryPoint


class MessageError(UserError):
    """A message cannot be used; says why."""


def seconds_of(time: Time | TimeMsg) -> float:
    """A ROS time in seconds."""
    if isinstance(time, Time):
        return time.nanoseconds * 1e-9
    return float(time.sec) + float(time.nanosec) * 1e-9


def stamp_of(seconds: float) -> TimeMsg:
    """Seconds as a ROS time."""
    whole = int(seconds // 1)
    nanoseconds = round((seconds - whole) * 1e9)
    if nanoseconds == 1_000_000_000:
        whole, nanoseconds = whole + 1, 0
    return TimeMsg(sec=whole, nanosec=nanoseconds)


def header(seconds: float, frame_id: str = "") -> Header:
    """A header with this stamp."""
    return Header(stamp=stamp_of(seconds), frame_id=frame_id)


def image_from_msg(message: Image) -> np.ndarray:
    """uint8 RGB [height, width, 3]; a view of the message for rgb8.

    Raises:
        MessageError: another encoding, or fewer bytes than the size says.
    """
    return picture_from_msg(message).decode(None)


def picture_from_msg(message: Image) -> RawPicture:
    """An image that is not decoded yet; a view of the message.

    Raises:
        MessageError: another encoding, or fewer bytes than the size says.
    """
    try:
        return RawPicture.of_message(message)
    except ImageError as error:
        raise MessageError(str(error)) from error


def compressed_picture_from_msg(message: CompressedImage) -> CompressedPicture:
    """A compressed image that is not decoded yet; a view of the message.

    Raises:
        MessageError: neither JPEG nor PNG.
    """
    try:
        return CompressedPicture.of_message(message)
    except ImageError as error:
        raise MessageError(str(error)) from error


def image_to_msg(image: np.ndarray, seconds: float, frame_id: str) -> Image:
    """An rgb8 image message from uint8 [height, width, 3]."""
    height, width = image.shape[:2]
    message = Image(
        header=header(seconds, frame_id),
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=3 * width,
    )
    message.data.frombytes(np.ascontiguousarray(image))
    return message


def camera_info(
    height: int, width: int, vertical_fov_rad: float, seconds: float, frame_id: str
) -> CameraInfo:
    """An ideal pinhole camera of square pixels."""
    focal = 0.5 * height / np.tan(0.5 * vertical_fov_rad)
    cx, cy = 0.5 * (width - 1), 0.5 * (height - 1)
    return CameraInfo(
        header=header(seconds, frame_id),
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=[focal, 0.0, cx, 0.0, focal, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal, 0.0, cx, 0.0, 0.0, focal, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def joint_state_to_msg(
    names: Sequence[str], position: np.ndarray, velocity: np.ndarray, seconds: float
) -> JointState:
    """A joint state message; float [joints] positions and velocities."""
    return JointState(
        header=header(seconds),
        name=list(names),
        position=position.astype(float).tolist(),
        velocity=velocity.astype(float).tolist(),
    )


def context_frame_to_msg(
    frame: ContextFrame, cameras: Sequence[str], joints: Sequence[str], latency_s: float
) -> dva.ContextFrame:
    """The message of a context frame."""
    message = dva.ContextFrame(
        header=header(frame.stamp),
        session=frame.session,
        frame_index=frame.index,
        cameras=list(cameras),
        camera_missing=list(map(bool, frame.camera_missing)),
        height=frame.mosaic.shape[0],
        width=frame.mosaic.shape[1],
        joint_names=list(joints),
        joints_missing=bool(frame.joints_missing),
        instruction=frame.instruction,
        latency_s=float(latency_s),
    )
    message.camera_age_s = [float(age) for age in frame.camera_age_s]
    message.rgb.frombytes(np.ascontiguousarray(frame.mosaic))
    message.position = frame.position.tolist()
    message.velocity = frame.velocity.tolist()
    return message


def context_frame_from_msg(message: dva.ContextFrame) -> ContextFrame:
    """A context frame; its mosaic is a view of the message."""
    return ContextFrame(
        session=message.session,
        index=message.frame_index,
        stamp=seconds_of(message.header.stamp),
        mosaic=pixels(message.rgb, 1, message.height, message.width)[0],
        position=np.array(message.position, np.float32),
        velocity=np.array(message.velocity, np.float32),
        camera_missing=tuple(message.camera_missing),
        camera_age_s=tuple(message.camera_age_s),
        joints_missing=message.joints_missing,
        instruction=message.instruction,
    )


def pixels(data: Any, count: int, height: int, width: int) -> np.ndarray:
    """A message's bytes as uint8 [count, height, width, 3], without copying.

    Raises:
        MessageError: the number of bytes is another.
    """
    flat = np.frombuffer(data, np.uint8)
    if flat.size != count * height * width * 3:
        raise MessageError(f"{flat.size} bytes do not hold {count} frames of {width}x{height} RGB")
    return flat.reshape(count, height, width, 3)


def targets(data: Any, joints: int) -> np.ndarray:
    """A message's row-major floats as float32 [rows, joints].

    Raises:
        MessageError: the numbers do not fill whole rows.
    """
    flat = np.array(data, np.float32)
    if joints == 0 or flat.size % joints:
        raise MessageError(f"{flat.size} numbers are no whole rows of {joints} joints")
    return flat.reshape(-1, joints)


def leapfrog_frame(message: dva.ContextFrame) -> Frame:
    """What the scheduler needs to know of a context frame."""
    return Frame(
        session=message.session,
        index=message.frame_index,
        stamp=seconds_of(message.header.stamp),
    )


def request_to_msg(request: Request, joints: Sequence[str]) -> dva.PredictionRequest:
    """The message of a request."""
    message = dva.PredictionRequest(
        header=header(request.stamp),
        session=request.session,
        request_id=request.request_id,
        frame_index=request.frame_index,
        committed_frames=len(request.committed),
        joint_names=list(joints),
        num_steps=request.num_steps,
    )
    message.committed = np.asarray(request.committed, np.float32).ravel().tolist()
    return message


def chunk_from_msg(message: dva.ActionChunk) -> Chunk:
    """The scheduler's view of a chunk.

    Raises:
        MessageError: the numbers do not fill whole rows.
    """
    return Chunk(
        session=message.session,
        request_id=message.request_id,
        chunk_id=message.chunk_id,
        frame_index=message.frame_index,
        joint_names=tuple(message.joint_names),
        targets=targets(message.positions, len(message.joint_names)),
        num_steps=message.num_steps,
        frame_period_s=message.frame_period_s,
        refusal=message.refusal,
    )


def duration_of(seconds: float) -> Duration:
    """Seconds as a ROS duration."""
    time = stamp_of(seconds)
    return Duration(sec=time.sec, nanosec=time.nanosec)


def trajectory_to_msg(trajectory: Trajectory) -> JointTrajectory:
    """The message that joint_trajectory_controller takes."""
    return JointTrajectory(
        header=header(trajectory.stamp),
        joint_names=list(trajectory.joint_names),
        points=[
            JointTrajectoryPoint(
                positions=_numbers(point.positions),
                velocities=_numbers(point.velocities),
                accelerations=_numbers(point.accelerations),
                time_from_start=duration_of(point.time_from_start),
            )
            for point in trajectory.points
        ],
    )


def trajectory_from_msg(message: JointTrajectory) -> Trajectory:
    """A trajectory message without ROS; empty fields become None."""
    return Trajectory(
        joint_names=tuple(message.joint_names),
        points=tuple(
            TrajectoryPoint(
                positions=_array(point.positions),
                velocities=_array(point.velocities),
                accelerations=_array(point.accelerations),
                time_from_start=seconds_of(
                    TimeMsg(sec=point.time_from_start.sec, nanosec=point.time_from_start.nanosec)
                ),
            )
            for point in message.points
        ),
        stamp=seconds_of(message.header.stamp),
    )


def controller_state_to_msg(
    names: Sequence[str], state: ControllerState, seconds: float
) -> dva.ControllerState:
    """The message of the emulated controller's state."""
    reference = _point(state.reference)
    reference.time_from_start = duration_of(state.reference_time_from_start)
    return dva.ControllerState(
        header=header(seconds),
        joint_names=list(names),
        reference=reference,
        feedback=_point(state.feedback),
        error=_point(state.error),
        output=JointTrajectoryPoint(positions=_numbers(state.output)),
    )


def controller_setpoint_from_msg(message: Any) -> ControllerSetpoint:
    """What a controller commands, from its state message; absent derivatives are zero.

    Raises:
        MessageError: there are no positions, a size is another, or a value is not finite.
    """
    names, reference = tuple(message.joint_names), message.reference
    output = np.array(message.output.positions or reference.positions, np.float64)
    found = {
        "output": output,
        "positions": _array(reference.positions),
        "velocities": _array(reference.velocities),
        "accelerations": _array(reference.accelerations),
    }
    still = np.zeros(len(names))
    absent = {"positions": output, "velocities": still, "accelerations": still}
    used = {field: absent[field] if v is None else v for field, v in found.items()}
    for field, values in used.items():
        if values.shape != still.shape:
            raise MessageError(f"{field} has {len(values)} values for {len(names)} joints")
        if not np.isfinite(values).all():
            raise MessageError(f"{field} of {names[np.isfinite(values).argmin()]} is not finite")
    return ControllerSetpoint(seconds_of(message.header.stamp), names, **used)


def _point(state: ControllerJointState) -> JointTrajectoryPoint:
    return JointTrajectoryPoint(
        positions=_numbers(state.positions),
        velocities=_numbers(state.velocities),
        accelerations=_numbers(state.accelerations),
    )


def _numbers(values: np.ndarray | None) -> list[float]:
    return [] if values is None else np.asarray(values, float).tolist()


def _array(values: Sequence[float]) -> np.ndarray | None:
    return np.array(values, float) if len(values) else None

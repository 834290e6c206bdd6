"""``camera_context``: cameras and joint states, aligned on the time grid, remembered."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String

from dva_msgs.msg import ContextFrame as ContextFrameMsg
from dva_msgs.srv import ClearContext, GetContext

from ..context.alignment import ContextAligner
from ..context.camera_input import (
    NATIVE_HEIGHTS,
    NATIVE_WIDTHS,
    CameraInput,
    InfoWatch,
    camera_inputs,
)
from ..context.frame import ContextFrame
from ..context.image_decoding import ImageError
from ..context.mosaic import require_shape
from ..context.picture import Picture
from ..context.sources import SourceLimits
from ..ros import qos
from ..ros.camera_topics import CameraTopicParameters
from ..ros.cell_spec import SpecParameters
from ..ros.conversions import (
    MessageError,
    compressed_picture_from_msg,
    context_frame_to_msg,
    picture_from_msg,
    seconds_of,
)
from ..ros.diagnostics import Health, Level
from ..ros.managed_node import ManagedNode
from ..ros.parameters import declare, parameter
from ..ros.process import run_node

NAME = "camera_context"


@dataclass(frozen=True)
class CameraContextParameters(CameraTopicParameters):
    """When a source is faulty, and how much is remembered."""

    native_heights: tuple[int, ...] = parameter(
        NATIVE_HEIGHTS, "rows per camera of the images on the topics, pixels"
    )
    native_widths: tuple[int, ...] = parameter(
        NATIVE_WIDTHS, "columns per camera of the images on the topics, pixels"
    )
    rectify: tuple[bool, ...] = parameter(
        (False,), "undo the lens by `<camera>/camera_info`; per camera, or one for all"
    )
    crop: tuple[int, ...] = parameter(
        (0, 0, 0, 0),
        "x, y, width, height of the part that is used, pixels, width 0 for all of it; per camera, "
        "or one for all",
    )
    tolerance_s: float = parameter(
        0.06,
        "greatest distance of an image from its grid time, s; more than half a camera period",
        minimum=0.0,
        maximum=1.0,
    )
    max_delay_s: float = parameter(
        0.08,
        "how long a frame waits for a source, s; more than a camera period less `tolerance_s` and "
        "the way of an image together",
        minimum=0.0,
        maximum=1.0,
    )
    future_tolerance_s: float = parameter(
        0.02, "how far a stamp may lie ahead of the clock, s", minimum=0.0, maximum=1.0
    )
    lost_after_s: float = parameter(
        0.5, "silence after which a source is an error, s", minimum=0.05, maximum=60.0
    )
    frozen_motion_rad: float = parameter(
        0.2, "arm motion during which a picture must change, rad", minimum=0.01, maximum=6.3
    )
    startup_timeout_s: float = parameter(
        5.0, "a source never heard after this long is an error, s", minimum=0.0, maximum=600.0
    )
    capacity: int = parameter(
        512, "frames remembered for a predictor that joins later", minimum=1, maximum=100000
    )
    instruction: str = parameter("", "instruction until one comes on the topic instruction")

    def inputs(self, cameras: Sequence[str]) -> dict[str, CameraInput]:
        """How each camera's images come and what of them goes on.

        Raises:
            ValueError: a parameter has entries for another number of cameras.
            ImageError: a crop is not inside of its picture.
        """
        return camera_inputs(
            self.topics(cameras), self.native_heights, self.native_widths, self.rectify, self.crop
        )


class CameraContextNode(ManagedNode):
    """Publishes `~/context`; serves `~/get_context` and `~/clear_context`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, **options)

    def setup(self) -> None:
        """Make the aligner and subscribe to every camera."""
        settings = declare(self, CameraContextParameters)
        spec_settings = declare(self, SpecParameters)
        try:
            self._spec = spec_settings.grid()
            inputs = settings.inputs(spec_settings.cameras)
        except (ValueError, ImageError) as error:
            raise MessageError(f"cameras of {NAME} do not fit together: {error}") from error
        views = {name: given.view() for name, given in inputs.items()}
        for camera in self._spec.cameras:
            require_shape(camera, *views[camera.name].size)
        limits = SourceLimits(
            tolerance_s=settings.tolerance_s,
            max_delay_s=settings.max_delay_s,
            future_tolerance_s=settings.future_tolerance_s,
            lost_after_s=settings.lost_after_s,
            frozen_motion=settings.frozen_motion_rad,
        )
        self._aligner = ContextAligner(
            self._spec,
            {name: (view.height, view.width) for name, view in views.items()},
            limits,
            settings.capacity,
            first_session=int(time.time()),
            views=views,
        )
        self._aligner.instruction = settings.instruction
        self._startup_timeout_s = settings.startup_timeout_s
        self._session = self._aligner.session
        self._latency_s = 0.0
        self._frames = self.advertise(ContextFrameMsg, "~/context", qos.FRAMES)
        self._infos = InfoWatch()
        for name, given in inputs.items():
            self._subscribe_to(name, given)
        self.subscribe(JointState, "joint_states", self._on_joints, qos.SENSOR)
        self.subscribe(String, "instruction", self._on_instruction, qos.STATE)
        self.every(0.01, self._poll)
        self.serve(ClearContext, "~/clear_context", self._on_clear)
        self.serve(GetContext, "~/get_context", self._on_get)

    def _subscribe_to(self, name: str, given: CameraInput) -> None:
        topic = given.topic
        if given.rectify:
            take_info = partial(self._on_info, name)
            self.listen(CameraInfo, topic.info, take_info, qos.SENSOR, raw=True)
        kind, read = (
            (CompressedImage, compressed_picture_from_msg)
            if topic.compressed
            else (Image, picture_from_msg)
        )
        self.subscribe(kind, topic.images, partial(self._on_image, name, read), qos.IMAGE_IN)

    def start(self) -> None:
        """Begin a session: what was seen before is not this one's past."""
        self._startup_ends = self.now() + self._startup_timeout_s
        self._session = self._aligner.clear(self._aligner.instruction, self.now(), "activated")

    def health(self) -> Sequence[Health]:
        """One item per source, one for the frames."""
        if not self.active:
            return [Health("context", Level.OK, "inactive")]
        problems = self._aligner.problems(self.now())
        items = []
        for source in (*self._aligner.cameras, "joint_states"):
            counts = {k.value: n for k, n in self._aligner.arrivals(source).items()}
            level = Level.ERROR if source in problems else Level.OK
            starting = not self._aligner.heard(source) and self.now() < self._startup_ends
            if source in problems and starting:
                level = Level.WARN
            items.append(Health(source, level, problems.get(source, "ok"), counts))
        counted = self._aligner.counts
        items.append(
            Health(
                "frames",
                Level.WARN if problems else Level.OK,
                "sources are faulty" if problems else "ok",
                {
                    "session": self._aligner.session,
                    "frames": counted.frames,
                    "frames marked": counted.frames_marked,
                    "sessions": counted.sessions,
                    "latency s": f"{self._latency_s:.4f}",
                },
            )
        )
        return items

    def _on_image(
        self, camera: str, read: Callable[[Any], Picture], message: Image | CompressedImage
    ) -> None:
        try:
            picture = read(message)
        except MessageError as error:
            self._aligner.cameras[camera].refuse(str(error))
            return
        self._aligner.add_image(camera, seconds_of(message.header.stamp), picture, self.now())
        self._poll()

    def _on_info(self, camera: str, serialized: bytes) -> None:
        if self._infos.is_new(camera, serialized):
            info = deserialize_message(serialized, CameraInfo)
            self._aligner.cameras[camera].calibrate(info)

    def _on_joints(self, message: JointState) -> None:
        self._aligner.add_joints(
            seconds_of(message.header.stamp),
            message.name,
            np.asarray(message.position, np.float32),
            np.asarray(message.velocity, np.float32),
            self.now(),
        )

    def _poll(self) -> None:
        for frame in self._aligner.poll(self.now()):
            self._latency_s = self.now() - frame.stamp
            self._frames.publish(self._message(frame, self._latency_s))
        if self._session != self._aligner.session:
            self._session = self._aligner.session
            self.get_logger().warning(
                f"new session {self._session}: {self._aligner.restart_reason}"
            )

    def _message(self, frame: ContextFrame, latency_s: float) -> ContextFrameMsg:
        return context_frame_to_msg(
            frame, tuple(self._aligner.cameras), self._spec.joint_names, latency_s
        )

    def _on_instruction(self, message: String) -> None:
        if message.data != self._aligner.instruction:
            self._begin(message.data)

    def _begin(self, instruction: str) -> None:
        self._startup_ends = self.now() + self._startup_timeout_s
        self._session = self._aligner.clear(instruction, self.now())
        self.get_logger().info(f"session {self._session}: '{instruction}'")

    def _on_clear(
        self, request: ClearContext.Request, response: ClearContext.Response
    ) -> ClearContext.Response:
        if not self.active:
            response.message = f"{NAME} is not active"
            return response
        self._begin(request.instruction)
        response.success, response.session = True, self._session
        return response

    def _on_get(
        self, request: GetContext.Request, response: GetContext.Response
    ) -> GetContext.Response:
        frames = list(self._aligner.frames)
        response.session = self._aligner.session
        response.frames = [self._message(f, 0.0) for f in frames[-request.max_frames :]]
        return response


def main() -> int:
    """Run the node."""
    return run_node(CameraContextNode)


if __name__ == "__main__":
    sys.exit(main())

"""``camera_context``: cameras and joint states, aligned on the time grid, remembered."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String

from dva_msgs.msg import ContextFrame as ContextFrameMsg
from dva_msgs.srv import ClearContext, GetContext

from ..context.alignment import ContextAligner
from ..context.frame import ContextFrame
from ..context.sources import SourceLimits
from . import qos
from .cell_spec import SpecParameters
from .conversions import MessageError, context_frame_to_msg, image_from_msg, seconds_of
from .diagnostics import Health, Level
from .managed_node import ManagedNode
from .parameters import declare, parameter
from .process import run_node

NAME = "camera_context"


@dataclass(frozen=True)
class CameraContextParameters:
    """When a source is faulty, and how much is remembered."""

    native_heights: tuple[int, ...] = parameter(
        (96, 64), "rows per camera of the images on the topics, pixels"
    )
    native_widths: tuple[int, ...] = parameter(
        (128, 128), "columns per camera of the images on the topics, pixels"
    )
    image_topics: tuple[str, ...] = parameter(
        ("",), "topic per camera, without /compressed; empty: `<camera>/image_raw`"
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

    def topics(self, cameras: Sequence[str]) -> dict[str, str]:
        """The topic of each camera; ValueError where there is another number of them."""
        given = self.image_topics if any(self.image_topics) else ("",) * len(cameras)
        if len(given) != len(cameras):
            raise ValueError(f"image_topics has {len(given)} entries for {len(cameras)} cameras")
        return {
            name: topic or f"{name}/image_raw" for name, topic in zip(cameras, given, strict=True)
        }


class CameraContextNode(ManagedNode):
    """Publishes `~/context`; serves `~/get_context` and `~/clear_context`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, **options)

    def setup(self) -> None:
        """Make the aligner and subscribe to every camera."""
        settings = declare(self, CameraContextParameters)
        spec_settings = declare(self, SpecParameters)
        try:
            self._spec = spec_settings.spec()
            topics = settings.topics(spec_settings.cameras)
            native = dict(
                zip(
                    spec_settings.cameras,
                    zip(settings.native_heights, settings.native_widths, strict=True),
                    strict=True,
                )
            )
        except ValueError as error:
            raise MessageError(f"cameras of {NAME} do not fit together: {error}") from error
        limits = SourceLimits(
            tolerance_s=settings.tolerance_s,
            max_delay_s=settings.max_delay_s,
            future_tolerance_s=settings.future_tolerance_s,
            lost_after_s=settings.lost_after_s,
            frozen_motion=settings.frozen_motion_rad,
        )
        self._aligner = ContextAligner(
            self._spec, native, limits, settings.capacity, first_session=int(time.time())
        )
        self._aligner.instruction = settings.instruction
        self._startup_timeout_s = settings.startup_timeout_s
        self._session = self._aligner.session
        self._latency_s = 0.0
        self._frames = self.advertise(ContextFrameMsg, "~/context", qos.FRAMES)
        for name, topic in topics.items():
            self.subscribe(Image, topic, partial(self._on_image, name), qos.SENSOR)
        self.subscribe(JointState, "joint_states", self._on_joints, qos.SENSOR)
        self.subscribe(String, "instruction", self._on_instruction, qos.STATE)
        self.every(0.01, self._poll)
        self.serve(ClearContext, "~/clear_context", self._on_clear)
        self.serve(GetContext, "~/get_context", self._on_get)

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

    def _on_image(self, camera: str, message: Image) -> None:
        try:
            image = image_from_msg(message)
        except MessageError as error:
            self._aligner.cameras[camera].refuse(str(error))
            return
        self._aligner.add_image(camera, seconds_of(message.header.stamp), image, self.now())
        self._poll()

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

"""``video_predictor``: predicts what follows the newest frame.

Frames are encoded into the model's context as they arrive, so that a request finds its context
ready; on a GPU also while a clip is sampled. A predictor that joins late, or lost a frame, asks
``camera_context`` for all of them.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.task import Future

from dva_msgs.msg import ContextFrame as ContextFrameMsg
from dva_msgs.msg import PredictedClip, PredictionRequest
from dva_msgs.srv import GetContext

from ..context.frame import ContextFrame
from ..ros import qos
from ..ros.cell_spec import SpecParameters
from ..ros.checkpoints import checkpoint_path, require_spec
from ..ros.conversions import (
    MessageError,
    context_frame_from_msg,
    header,
    targets,
)
from ..ros.diagnostics import Health, Level
from ..ros.model_node import ModelNode
from ..ros.parameters import declare, parameter
from ..ros.process import run_node
from ..ros.statistics import RollingStatistics
from ..video.loading import DEVICES, ClipPredictor, load_predictor
from ..video.prediction_session import (
    ClipRequest,
    Prediction,
    PredictionSession,
    RequestRefusedError,
)

NAME = "video_predictor"
JOIN_TIMEOUT_S = 0.5
"""The context is asked for again after so long: an answer can be lost with a node's death."""


@dataclass(frozen=True)
class VideoPredictorParameters:
    """Which model, and how much of the machine."""

    checkpoint: str = parameter("cpu/video", "checkpoint folder, or its name under models/")
    num_steps: int = parameter(
        0, "denoising steps; 0: the checkpoint's own", minimum=0, maximum=1000
    )
    context_frames: int = parameter(
        0, "frames in the context window; 0: the checkpoint's own", minimum=0, maximum=100000
    )
    num_real_frames: int = parameter(
        2, "real frames that go with a clip, for inverse dynamics", minimum=1, maximum=16
    )
    seed: int = parameter(0, "of the sampler's noise", minimum=0)
    threads: int = parameter(1, "of the model, on the CPU", minimum=1, maximum=256)
    device: str = parameter("cpu", "of the model", choices=DEVICES)
    float8_cache: bool = parameter(False, "keep the context in eight bits, on a GPU")


class VideoPredictorNode(ModelNode):
    """Takes context frames and requests, publishes `~/clip`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, **options)

    def setup(self) -> None:
        """Load the model in the thread that will run it, and warm it up."""
        self._settings = settings = declare(self, VideoPredictorParameters)
        spec_settings = declare(self, SpecParameters)
        self._spec = spec_settings.spec()
        self._grid_period_s = spec_settings.grid().frame_period_s
        path = checkpoint_path(settings.checkpoint)
        worker = self.start_inference(path)
        predictor = worker.call(lambda: self._load(path))
        require_spec(path, predictor.config.spec, self._spec, NAME)
        self._horizon = predictor.config.horizon
        worker.call(lambda: self._warm_up(predictor))
        self._session = PredictionSession(predictor, settings.num_real_frames)
        self._lock = threading.Lock()
        self._frames: deque[ContextFrame] = deque()
        self._request: ClipRequest | None = None
        self._under_way: Prediction | None = None
        self._waiting: list[ContextFrame] = []
        self._expected: tuple[int, int] | None = None
        self._asked = float("-inf")
        self._join_needed = False
        self._append_cost = RollingStatistics()
        self._clips = self.advertise(PredictedClip, "~/clip", qos.COMMAND)
        self._clip_id = 0
        self.subscribe(ContextFrameMsg, "camera_context/context", self._on_frame, qos.FRAMES)
        self.subscribe(
            PredictionRequest, "leapfrog_scheduler/request", self._on_request, qos.COMMAND
        )
        self._history = self.own(
            self.create_client(GetContext, "camera_context/get_context"), self.destroy_client
        )
        self.every(0.1, self._join)

    def start(self) -> None:
        """Ask for the context that was gathered before this node joined."""
        with self._lock:
            self._frames.clear()
            self._request = None
        self._waiting.clear()
        self._expected, self._asked, self._join_needed = None, float("-inf"), True

    def stop(self) -> None:
        """Answer nothing more; a prediction under way is thrown away."""
        with self._lock:
            self._frames.clear()
            self._request = self._under_way = None

    def health(self) -> Sequence[Health]:
        """The model's latency and the state of its context."""
        newest = self._session.newest
        if self._error:
            level, message = Level.ERROR, self._error
        elif self._join_needed and self.active:
            level, message = Level.WARN, "waiting for camera_context/get_context"
        else:
            level, message = Level.OK, "ok" if self.active else "inactive"
        values = {
            "model": self._model_name,
            "context frames": self._session.length,
            "newest frame": newest.index if newest else "none",
            "requests refused": self._refused,
            "append p50 ms": f"{1e3 * self._append_cost.percentile(50):.1f}",
            **self._latency.summary(),
        }
        return [Health("prediction", level, message, values)]

    def _load(self, path: object) -> ClipPredictor:
        settings = self._settings
        return load_predictor(
            str(path),
            settings.device,
            num_steps=settings.num_steps or None,
            context_frames=settings.context_frames or None,
            seed=settings.seed,
            threads=settings.threads,
            float8_cache=settings.float8_cache,
        )

    def _warm_up(self, predictor: ClipPredictor) -> None:
        spec = self._spec
        predictor.reset("")
        frame = np.zeros((spec.mosaic_height, spec.mosaic_width, 3), np.uint8)
        predictor.append(frame, np.zeros(spec.num_joints, np.float32))
        predictor.start(np.zeros((1, spec.num_joints), np.float32)).result()

    def _on_frame(self, message: ContextFrameMsg) -> None:
        frame = context_frame_from_msg(message)
        key = (frame.session, frame.index)
        if self._join_needed:
            self._waiting.append(frame)
        elif key == self._expected or (frame.index == 0 and self._is_new(frame)):
            self._enqueue([frame])
        elif self._is_new(frame) or (self._expected is not None and key > self._expected):
            self.get_logger().warning(
                f"frame {frame.index} of session {frame.session} came, expected "
                f"{self._expected}: asking for the context"
            )
            self._waiting, self._join_needed = [frame], True
            self._asked = float("-inf")

    def _is_new(self, frame: ContextFrame) -> bool:
        return self._expected is None or frame.session > self._expected[0]

    def _enqueue(self, frames: Sequence[ContextFrame]) -> None:
        for frame in frames:
            self._expected = (frame.session, frame.index + 1)
            with self._lock:
                self._frames.append(frame)
        self._wake()

    def _join(self) -> None:
        waited = time.monotonic() - self._asked
        if not self._join_needed or waited < JOIN_TIMEOUT_S:
            return
        if self._history.service_is_ready():
            self._asked = time.monotonic()
            self._history.call_async(GetContext.Request()).add_done_callback(self._on_context)

    def _on_context(self, future: Future) -> None:
        """The first answer counts, to whichever question; later ones are not needed."""
        response = future.result()
        if response is None or not self.active or not self._join_needed:
            return
        history = [context_frame_from_msg(frame) for frame in response.frames]
        known = {(frame.session, frame.index) for frame in history}
        late = [f for f in self._waiting if (f.session, f.index) not in known]
        frames = sorted([*history, *late], key=lambda frame: (frame.session, frame.index))
        expected = self._expected
        if expected is not None and any((f.session, f.index) == expected for f in frames):
            frames = [f for f in frames if (f.session, f.index) >= expected]
        newest = [f for f in frames if f.session == frames[-1].session]
        self._waiting, self._join_needed = [], False
        self.get_logger().info(f"joined the context with {len(newest)} frames")
        self._enqueue(newest)

    def _on_request(self, message: PredictionRequest) -> None:
        try:
            if tuple(message.joint_names) != self._spec.joint_names:
                raise MessageError(
                    f"request {message.request_id} is for joints {list(message.joint_names)}"
                )
            committed = targets(message.committed, self._spec.num_joints)
        except MessageError as error:
            self._refuse(message, str(error))
            return
        request = ClipRequest(
            session=message.session,
            request_id=message.request_id,
            frame_index=message.frame_index,
            committed=committed,
            num_steps=message.num_steps or None,
            received_s=self.now(),
        )
        with self._lock:
            self._request = request
        self._wake()

    def _wake(self) -> None:
        worker = self._worker
        # A clip may become ready after teardown.
        if worker is not None:
            worker.submit(self._work)

    def _work(self) -> None:
        """In the inference thread: what is ready, frames up to the request, it, then the rest."""
        while (step := self._next()) is not None:
            if isinstance(step, Prediction):
                self._answer(step)
            elif isinstance(step, ClipRequest):
                self._begin(step)
            else:
                begun = self.now()
                self._session.append(step)
                self._append_cost.add(self.now() - begun)

    def _next(self) -> Prediction | ClipRequest | ContextFrame | None:
        with self._lock:
            prediction, request = self._under_way, self._request
            if prediction is not None and prediction.clip.done():
                self._under_way = None
                return prediction
            try:
                if request is not None and self._session.ready(request):
                    if prediction is not None:
                        return None
                    self._request = None
                    return request
            except RequestRefusedError as error:
                self._request = None
                self._refuse(request, str(error))
            return self._frames.popleft() if self._frames else None

    def _begin(self, request: ClipRequest) -> None:
        try:
            prediction = self._session.start(request)
        except RequestRefusedError as error:
            self._refuse(request, str(error))
            return
        with self._lock:
            self._under_way = prediction
        prediction.clip.add_done_callback(lambda clip: self._wake())

    def _answer(self, prediction: Prediction) -> None:
        clip = prediction.clip.result()
        if not self.active:
            return
        now = self.now()
        self._latency.add(now - prediction.request.received_s)
        self._clip_id += 1
        self._clips.publish(self._message(prediction, clip, now))
        self._error = ""

    def _message(self, prediction: Prediction, clip: np.ndarray, now: float) -> PredictedClip:
        request, newest = prediction.request, prediction.newest
        message = PredictedClip(
            header=header(newest.stamp),
            session=request.session,
            request_id=request.request_id,
            clip_id=self._clip_id,
            frame_index=newest.index,
            num_frames=len(clip),
            committed_frames=len(request.committed),
            height=clip.shape[1],
            width=clip.shape[2],
            num_real_frames=len(prediction.real),
            joint_names=list(self._spec.joint_names),
            frame_period_s=self._grid_period_s,
            model_name=self._model_name,
            seed=self._settings.seed,
            num_steps=prediction.num_steps,
            latency_s=now - request.received_s,
            stamp_to_now_s=now - newest.stamp,
        )
        message.rgb.frombytes(np.ascontiguousarray(clip))
        message.real_rgb.frombytes(prediction.real)
        message.position = newest.position.tolist()
        return message

    def _refuse(self, request: PredictionRequest | ClipRequest | None, reason: str) -> None:
        """Say so on the wire, too: whoever asks need not wait for nothing."""
        self._refused += 1
        self.get_logger().warning(reason)
        if request is None or not self.active:
            return
        self._clips.publish(
            PredictedClip(
                header=header(self.now()),
                session=request.session,
                request_id=request.request_id,
                frame_index=request.frame_index,
                joint_names=list(self._spec.joint_names),
                refusal=reason,
            )
        )


def main() -> int:
    """Run the node."""
    return run_node(VideoPredictorNode)


if __name__ == "__main__":
    sys.exit(main())

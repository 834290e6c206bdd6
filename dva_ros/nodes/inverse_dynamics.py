"""``inverse_dynamics``: joint targets from predicted frames."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dva_msgs.msg import ActionChunk, PredictedClip

from ..inverse_dynamics.decoder import InverseDynamics
from ..ros import qos
from ..ros.cell_spec import SpecParameters
from ..ros.checkpoints import checkpoint_path, require_spec
from ..ros.conversions import MessageError, pixels
from ..ros.diagnostics import Health, Level
from ..ros.model_node import ModelNode
from ..ros.parameters import declare, parameter
from ..ros.process import run_node

NAME = "inverse_dynamics"


@dataclass(frozen=True)
class InverseDynamicsParameters:
    """Which model, and how much of the machine."""

    checkpoint: str = parameter(
        "cpu/inverse_dynamics", "checkpoint folder, or its name under models/"
    )
    threads: int = parameter(1, "of the model, on the CPU", minimum=1, maximum=256)


class InverseDynamicsNode(ModelNode):
    """Takes clips, publishes `~/chunk`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, **options)

    def setup(self) -> None:
        """Load the model in the thread that will run it, and warm it up."""
        settings = declare(self, InverseDynamicsParameters)
        self._spec = declare(self, SpecParameters).spec()
        path = checkpoint_path(settings.checkpoint)
        worker = self.start_inference(path)
        self._decoder = worker.call(lambda: InverseDynamics.load(path, threads=settings.threads))
        require_spec(path, self._decoder.config.spec, self._spec, NAME)
        worker.call(self._warm_up)
        self._newest: PredictedClip | None = None
        self._chunk_id = 0
        self._chunks = self.advertise(ActionChunk, "~/chunk", qos.COMMAND)
        self.subscribe(PredictedClip, "video_predictor/clip", self._on_clip, qos.COMMAND)

    def start(self) -> None:
        """Forget clips of an earlier activation."""
        self._newest = None

    def health(self) -> Sequence[Health]:
        """The model's latency."""
        level = Level.ERROR if self._error else Level.OK
        message = self._error or ("ok" if self.active else "inactive")
        values = {
            "model": self._model_name,
            "clips refused": self._refused,
            **self._latency.summary(),
        }
        return [Health("decoding", level, message, values)]

    def _warm_up(self) -> None:
        config, spec = self._decoder.config, self._spec
        frame = (spec.mosaic_height, spec.mosaic_width, 3)
        self._decoder.decode(
            np.zeros((config.num_real_frames, *frame), np.uint8),
            np.zeros((config.horizon, *frame), np.uint8),
            np.zeros(spec.num_joints, np.float32),
        )

    def _on_clip(self, message: PredictedClip) -> None:
        received = self.now()
        self._newest = message
        assert self._worker is not None
        self._worker.submit(lambda: self._answer(message, received))

    def _answer(self, message: PredictedClip, received: float) -> None:
        """In the inference thread: decode, unless a newer clip has come."""
        superseded = message is not self._newest
        if superseded or not self.active:
            return
        if message.refusal:
            self._decline(message, message.refusal)
            return
        try:
            chunk = self._decode(message)
        except MessageError as error:
            self._refused += 1
            reason = f"clip {message.clip_id} refused: {error}"
            self.get_logger().warning(reason)
            self._decline(message, reason)
            return
        now = self.now()
        self._latency.add(now - received)
        chunk.latency_s = now - received
        chunk.stamp_to_now_s = message.stamp_to_now_s + chunk.latency_s
        self._chunks.publish(chunk)
        self._error = ""

    def _decline(self, message: PredictedClip, reason: str) -> None:
        """Tell the scheduler that its request has no answer."""
        chunk = self._chunk_of(message)
        chunk.refusal = reason
        self._chunks.publish(chunk)

    def _decode(self, message: PredictedClip) -> ActionChunk:
        config, spec = self._decoder.config, self._spec
        if tuple(message.joint_names) != spec.joint_names:
            raise MessageError(f"it is for joints {list(message.joint_names)}")
        if message.num_frames != config.horizon:
            raise MessageError(f"{message.num_frames} frames, the model takes {config.horizon}")
        if message.num_real_frames < config.num_real_frames:
            raise MessageError(
                f"{message.num_real_frames} real frames, the model takes "
                f"{config.num_real_frames}: set num_real_frames of video_predictor"
            )
        size = (message.height, message.width)
        if size != (spec.mosaic_height, spec.mosaic_width):
            raise MessageError(f"frames are {size[1]}x{size[0]} pixels")
        real = pixels(message.real_rgb, message.num_real_frames, *size)
        clip = pixels(message.rgb, message.num_frames, *size)
        self._chunk_id += 1
        motion = self._decoder.decode(
            real[-config.num_real_frames :], clip, np.array(message.position, np.float32)
        )
        chunk = self._chunk_of(message)
        chunk.chunk_id, chunk.num_frames = self._chunk_id, len(motion)
        chunk.positions = np.asarray(motion, np.float32).ravel().tolist()
        return chunk

    def _chunk_of(self, message: PredictedClip) -> ActionChunk:
        """A chunk without targets that says what it answers."""
        return ActionChunk(
            header=message.header,
            session=message.session,
            request_id=message.request_id,
            clip_id=message.clip_id,
            frame_index=message.frame_index,
            committed_frames=message.committed_frames,
            joint_names=list(self._spec.joint_names),
            frame_period_s=message.frame_period_s,
            model_name=self._model_name,
            seed=message.seed,
            num_steps=message.num_steps,
            prediction_latency_s=message.latency_s,
        )


def main() -> int:
    """Run the node."""
    return run_node(InverseDynamicsNode)


if __name__ == "__main__":
    sys.exit(main())

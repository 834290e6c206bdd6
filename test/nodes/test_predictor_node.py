"""The predictor follows the context, answers requests, and regains its memory when it rejoins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from overtaking import FramesOvertakeClips  # noqa: E402
from rclpy.callback_groups import ReentrantCallbackGroup  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.task import Future  # noqa: E402
from robot_inputs import RobotInputs  # noqa: E402
from ros_graph import Graph  # noqa: E402

from dva_msgs.msg import ActionChunk, ContextFrame, PredictedClip, PredictionRequest  # noqa: E402
from dva_msgs.srv import GetContext  # noqa: E402
from dva_ros.nodes import video_predictor as predictor_module  # noqa: E402
from dva_ros.nodes.camera_context import CameraContextNode  # noqa: E402
from dva_ros.nodes.inverse_dynamics import InverseDynamicsNode  # noqa: E402
from dva_ros.nodes.video_predictor import VideoPredictorNode  # noqa: E402
from dva_ros.ros import qos  # noqa: E402
from dva_ros.spec import EMBEDDED_CELL  # noqa: E402
from dva_ros.video.checkpoint import load_config, load_model  # noqa: E402
from dva_ros.video.static_predictor import StaticPredictor  # noqa: E402

JOINTS = EMBEDDED_CELL.num_joints


class Chain:
    """Context, predictor and inverse dynamics, asked by the test."""

    def __init__(self, graph: Graph, models: Path, time_scaling: float = 1.0) -> None:
        self.graph = graph
        speed = Parameter("time_scaling", value=time_scaling)
        graph.add_active(CameraContextNode(parameter_overrides=[speed]))
        self.checkpoint = models / "video"
        checkpoint = Parameter("checkpoint", value=str(self.checkpoint))
        self.predictor = graph.add_active(
            VideoPredictorNode(parameter_overrides=[checkpoint, speed])
        )
        graph.add_active(
            InverseDynamicsNode(
                parameter_overrides=[
                    Parameter("checkpoint", value=str(models / "inverse_dynamics"))
                ]
            )
        )
        self.requests = graph.client.create_publisher(
            PredictionRequest, "leapfrog_scheduler/request", qos.COMMAND
        )
        self.frames = graph.collect(ContextFrame, "camera_context/context", qos.FRAMES)
        self.clips = graph.collect(PredictedClip, "video_predictor/clip", qos.COMMAND)
        self.chunks = graph.collect(ActionChunk, "inverse_dynamics/chunk", qos.COMMAND)
        self.inputs = RobotInputs(graph.client)
        self.inputs.start()
        graph.spin_until(lambda: len(self.frames) >= 3)

    def ask(self, request_id: int, behind: int = 0, joints: int = JOINTS) -> int:
        """Request what follows a frame that has just come (or one `behind` it); gives it."""
        count = len(self.frames)
        self.graph.spin_until(lambda: len(self.frames) > count)
        newest = self.frames[-1]
        request = PredictionRequest(
            session=newest.session,
            request_id=request_id,
            frame_index=newest.frame_index - behind,
            committed_frames=2,
            joint_names=list(EMBEDDED_CELL.joint_names[:joints]),
            committed=[0.0] * (2 * joints),
        )
        self.requests.publish(request)
        return int(request.frame_index)


@pytest.fixture
def chain(graph: Graph, tiny_models: Path) -> Chain:
    return Chain(graph, tiny_models)


def test_ids_lead_from_the_request_through_the_clip_to_the_chunk(chain: Chain) -> None:
    index = chain.ask(41)
    chain.graph.spin_until(lambda: chain.chunks)
    clip, chunk = chain.clips[-1], chain.chunks[-1]
    assert (clip.request_id, clip.frame_index, clip.committed_frames) == (41, index, 2)
    assert (chunk.request_id, chunk.clip_id, chunk.frame_index) == (41, clip.clip_id, index)
    assert clip.num_steps == chunk.num_steps == load_config(chain.checkpoint).num_steps
    assert len(clip.rgb) == clip.num_frames * clip.height * clip.width * 3
    real = np.frombuffer(clip.real_rgb, np.uint8).reshape(2, 80, 64, 3)
    frame = next(f for f in chain.frames if f.frame_index == index)
    assert (real[-1].ravel() == np.frombuffer(frame.rgb, np.uint8)).all()
    assert len(chunk.positions) == chunk.num_frames * JOINTS
    assert np.isfinite(chunk.positions).all()
    assert 0 < chunk.prediction_latency_s < chunk.stamp_to_now_s


def test_a_clip_says_how_fast_it_is_played(graph: Graph, tiny_models: Path) -> None:
    """At half speed its frames are 0.2 s apart; the checkpoint, trained for 0.1 s, is taken."""
    chain = Chain(graph, tiny_models, time_scaling=0.5)
    chain.ask(1)
    graph.spin_until(lambda: chain.chunks)
    assert chain.clips[-1].refusal == ""
    assert chain.clips[-1].frame_period_s == pytest.approx(0.2)
    assert chain.chunks[-1].frame_period_s == pytest.approx(0.2)


def test_a_request_for_a_frame_that_is_past_is_refused_down_to_the_chunk(chain: Chain) -> None:
    """The scheduler hears at once that it need not wait, and why."""
    index = chain.ask(1, behind=2)
    chain.graph.spin_until(lambda: chain.chunks)
    clip, chunk = chain.clips[-1], chain.chunks[-1]
    assert "is already in the context" in clip.refusal
    assert (clip.request_id, clip.num_frames, len(clip.rgb)) == (1, 0, 0)
    assert (chunk.request_id, chunk.frame_index, chunk.refusal) == (1, index, clip.refusal)
    assert len(chunk.positions) == 0
    chain.ask(2)
    chain.graph.spin_until(lambda: len(chain.chunks) == 2)
    assert (chain.chunks[-1].request_id, chain.chunks[-1].refusal) == (2, "")


def test_a_request_for_other_joints_is_refused(chain: Chain) -> None:
    chain.ask(1, joints=5)
    chain.graph.spin_until(lambda: chain.chunks)
    assert "is for joints" in chain.chunks[-1].refusal


def test_a_predictor_that_rejoins_has_the_whole_context(chain: Chain) -> None:
    chain.graph.spin_until(lambda: chain.frames[-1].frame_index >= 10)
    chain.predictor.trigger_deactivate()
    chain.predictor.trigger_cleanup()
    chain.predictor.trigger_configure()
    chain.predictor.trigger_activate()
    chain.graph.spin_until(lambda: chain.predictor.health()[0].values["newest frame"] != "none")
    chain.ask(7)
    chain.graph.spin_until(lambda: chain.clips)
    context = chain.predictor.health()[0].values
    assert context["context frames"] == context["newest frame"] + 1


@pytest.fixture
def overlapping(
    graph: Graph, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Chain, FramesOvertakeClips]:
    """The chain with a GPU's predictor, on the host; its clips are ready when the test says."""
    execution = FramesOvertakeClips(holds=False)

    def load(path: str, *_: object, **__: object) -> StaticPredictor:
        return StaticPredictor(load_model(Path(path), torch.float32), execution=execution)

    monkeypatch.setattr(predictor_module, "load_predictor", load)
    chain = Chain(graph, tiny_models)
    execution.holds = True
    return chain, execution


def newest(chain: Chain) -> int:
    return int(chain.predictor.health()[0].values["newest frame"])


def test_frames_are_appended_while_a_clip_is_under_way(
    overlapping: tuple[Chain, FramesOvertakeClips],
) -> None:
    """The clip is still that of its request: frame n and the real frames up to it; and the next
    request finds its context encoded."""
    chain, execution = overlapping
    index = chain.ask(41)
    chain.graph.spin_until(lambda: execution.held and newest(chain) >= index + 2)
    assert not chain.clips
    execution.finish()
    chain.graph.spin_until(lambda: chain.chunks)
    clip = chain.clips[0]
    assert (clip.request_id, clip.frame_index, chain.chunks[0].refusal) == (41, index, "")
    frames = {f.frame_index: np.frombuffer(f.rgb, np.uint8) for f in chain.frames}
    real = np.frombuffer(clip.real_rgb, np.uint8).reshape(2, -1)
    np.testing.assert_array_equal(real, [frames[index - 1], frames[index]])
    stamp = next(f.header.stamp for f in chain.frames if f.frame_index == index)
    assert clip.header.stamp == stamp
    index = chain.ask(42)
    chain.graph.spin_until(lambda: execution.held)
    execution.finish()
    chain.graph.spin_until(lambda: len(chain.clips) == 2)
    assert (chain.clips[1].request_id, chain.clips[1].frame_index) == (42, index)


def test_a_request_during_a_clip_is_answered_after_it_for_its_own_frame(
    overlapping: tuple[Chain, FramesOvertakeClips],
) -> None:
    """Frames beyond it wait, so that it does not become stale."""
    chain, execution = overlapping
    first = chain.ask(1)
    chain.graph.spin_until(lambda: execution.held)
    second = chain.ask(2)
    chain.graph.spin_until(lambda: chain.frames[-1].frame_index >= second + 2)
    assert newest(chain) == second
    execution.finish()
    chain.graph.spin_until(lambda: chain.clips and execution.held)
    execution.finish()
    chain.graph.spin_until(lambda: len(chain.clips) == 2)
    assert [(c.request_id, c.frame_index) for c in chain.clips] == [(1, first), (2, second)]


def test_a_clip_that_a_deactivation_overtook_is_thrown_away(
    overlapping: tuple[Chain, FramesOvertakeClips],
) -> None:
    """Also where the node is active again when it is ready; the next request is answered."""
    chain, execution = overlapping
    chain.ask(1)
    chain.graph.spin_until(lambda: execution.held)
    chain.predictor.trigger_deactivate()
    chain.predictor.trigger_activate()
    execution.finish()
    joined = len(chain.frames)
    chain.graph.spin_until(lambda: newest(chain) > chain.frames[joined - 1].frame_index)
    chain.ask(2)
    chain.graph.spin_until(lambda: execution.held)
    execution.finish()
    chain.graph.spin_until(lambda: chain.clips)
    assert [clip.request_id for clip in chain.clips] == [2]


def test_a_clip_that_fails_under_way_is_told_and_the_next_one_comes(
    overlapping: tuple[Chain, FramesOvertakeClips],
) -> None:
    chain, execution = overlapping
    chain.ask(1)
    chain.graph.spin_until(lambda: execution.held)
    execution.finish(RuntimeError("device lost"))
    chain.graph.spin_until(lambda: chain.predictor.health()[0].message != "ok")
    assert chain.predictor.health()[0].message == "RuntimeError: device lost"
    chain.ask(2)
    chain.graph.spin_until(lambda: execution.held)
    execution.finish()
    chain.graph.spin_until(lambda: chain.clips)
    assert (chain.clips[0].request_id, chain.predictor.health()[0].message) == (2, "ok")


def test_a_lost_answer_of_the_context_is_asked_for_again(graph: Graph, tiny_models: Path) -> None:
    """An answer can be lost with the death of a node; waiting for it forever is no memory."""
    asked = []

    async def answer(
        request: GetContext.Request, response: GetContext.Response
    ) -> GetContext.Response:
        asked.append(request)
        if len(asked) == 1:
            await Future()
        frame = np.zeros((80, 64, 3), np.uint8)
        message = ContextFrame(session=5, height=80, width=64, position=[0.0] * JOINTS)
        message.rgb.frombytes(frame)
        response.session, response.frames = 5, [message]
        return response

    graph.client.create_service(
        GetContext,
        "camera_context/get_context",
        answer,
        callback_group=ReentrantCallbackGroup(),
    )
    predictor = graph.add_active(
        VideoPredictorNode(
            parameter_overrides=[Parameter("checkpoint", value=str(tiny_models / "video"))]
        )
    )
    graph.spin_until(lambda: predictor.health()[0].values["newest frame"] == 0)
    assert len(asked) >= 2


def test_a_checkpoint_of_another_cell_is_refused_by_the_field(
    graph: Graph, tiny_models: Path
) -> None:
    node = graph.add(
        VideoPredictorNode(
            parameter_overrides=[
                Parameter("checkpoint", value=str(tiny_models / "video")),
                Parameter("frame_period_s", value=0.2),
            ]
        )
    )
    node.trigger_configure()
    assert "frame_period_s differ" in node.failure


def test_a_missing_checkpoint_is_named(graph: Graph) -> None:
    node = graph.add(
        VideoPredictorNode(parameter_overrides=[Parameter("checkpoint", value="cpu/nothing")])
    )
    node.trigger_configure()
    assert "models/cpu/nothing" in node.failure

"""The session answers with frame n of the request, also where later frames come meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from overtaking import FramesOvertakeClips
from tiny import random_frames, random_model, tiny_config

from dva_ros.context.frame import ContextFrame
from dva_ros.video.loading import ClipPredictor
from dva_ros.video.prediction_session import (
    ClipRequest,
    Prediction,
    PredictionSession,
    RequestRefusedError,
)
from dva_ros.video.predictor import VideoPredictor
from dva_ros.video.static_predictor import StaticPredictor

CONFIG = tiny_config()
MODEL = random_model(CONFIG).double()
PIXELS = random_frames(CONFIG, 20)
STATES = np.random.default_rng(3).normal(size=(20, 3)).astype(np.float32)
N = 8


def frame(index: int, session: int = 1) -> ContextFrame:
    return ContextFrame(
        session=session,
        index=index,
        stamp=0.1 * index,
        mosaic=PIXELS[index],
        position=STATES[index],
        velocity=np.zeros(3, np.float32),
        camera_missing=(False, False),
        camera_age_s=(0.0, 0.0),
        joints_missing=False,
        instruction="lift the box",
    )


def request(index: int, session: int = 1) -> ClipRequest:
    return ClipRequest(session, 7, index, STATES[:2], None, 0.0)


def begun(predictor: ClipPredictor) -> tuple[PredictionSession, Prediction]:
    """A session with frames 0 .. N, and the prediction that was begun then."""
    session = PredictionSession(predictor, num_real_frames=2)
    for index in range(N + 1):
        session.append(frame(index))
    assert session.ready(request(N))
    return session, session.start(request(N))


@pytest.fixture
def execution() -> FramesOvertakeClips:
    return FramesOvertakeClips()


@pytest.fixture
def static(execution: FramesOvertakeClips) -> StaticPredictor:
    return StaticPredictor(MODEL, num_steps=2, execution=execution)


@pytest.fixture(scope="module")
def in_turns() -> Prediction:
    """By the plain predictor, which has the clip ready when it returns."""
    prediction = begun(VideoPredictor(MODEL, num_steps=2))[1]
    assert prediction.clip.done()
    return prediction


@pytest.mark.parametrize("appended", [0, 1, 2, 7])
def test_frames_that_come_meanwhile_change_nothing_of_the_answer(
    static: StaticPredictor, execution: FramesOvertakeClips, in_turns: Prediction, appended: int
) -> None:
    """Also more of them than the ring has spare slots (2): pixels, real frames and newest frame
    are those of predicting in turns, to the last bit in float64."""
    session, prediction = begun(static)
    for index in range(N + 1, N + 1 + appended):
        session.append(frame(index))
    assert session.newest is not None and session.newest.index == N + appended
    assert not prediction.clip.done()
    execution.finish()
    np.testing.assert_array_equal(prediction.clip.result(), in_turns.clip.result())
    np.testing.assert_array_equal(prediction.real, PIXELS[N - 1 : N + 1])
    assert prediction.newest.index == in_turns.newest.index == N


def test_the_clip_after_one_that_was_overtaken_is_that_of_predicting_in_turns(
    static: StaticPredictor, execution: FramesOvertakeClips
) -> None:
    """Frames that were encoded early lie in the context as they would have in turns."""
    clips = []
    for predictor in (VideoPredictor(MODEL, num_steps=2), static):
        session, _ = begun(predictor)
        for index in range(N + 1, N + 4):
            session.append(frame(index))
        if predictor is static:
            execution.finish()
            execution.holds = False
        clips.append(session.start(request(N + 3)).clip.result())
    np.testing.assert_array_equal(clips[1], clips[0])


def test_a_new_session_of_the_cameras_leaves_the_clip_under_way_as_it_is(
    static: StaticPredictor, execution: FramesOvertakeClips, in_turns: Prediction
) -> None:
    session, prediction = begun(static)
    session.append(frame(0, session=2))
    assert session.length == 1
    execution.finish()
    np.testing.assert_array_equal(prediction.clip.result(), in_turns.clip.result())
    assert (prediction.newest.session, prediction.newest.index) == (1, N)


def test_a_request_is_stale_once_a_later_frame_was_appended_beside_a_clip(
    static: StaticPredictor,
) -> None:
    """What counts is what the context holds, not what the clip under way was begun with."""
    session, _ = begun(static)
    session.append(frame(N + 1))
    assert session.ready(request(N + 1))
    assert not session.ready(request(N + 2))
    with pytest.raises(RequestRefusedError, match=f"frame {N + 1} is already in the context"):
        session.ready(request(N))


def test_a_failure_of_the_device_comes_with_the_clip_and_ends_with_it(
    static: StaticPredictor, execution: FramesOvertakeClips, in_turns: Prediction
) -> None:
    """The next prediction begins as if there had been none."""
    session, prediction = begun(static)
    execution.finish(RuntimeError("device lost"))
    with pytest.raises(RuntimeError, match="device lost"):
        prediction.clip.result()
    again = session.start(request(N))
    execution.finish()
    np.testing.assert_array_equal(again.clip.result(), in_turns.clip.result())

"""The checkpoints in models/cpu do on unseen scenes what their cards say."""

from __future__ import annotations

import numpy as np
import pytest

from dva_ros.cell.kinematics import forward_kinematics
from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks import find_task
from dva_ros.context.mosaic import compose_mosaic
from dva_ros.data.cell_episodes import record_episode
from dva_ros.inverse_dynamics.decoder import InverseDynamics
from dva_ros.resources import model_path
from dva_ros.spec import EMBEDDED_CELL
from dva_ros.video.predictor import VideoPredictor

VIDEO, INVERSE_DYNAMICS = model_path("cpu/video"), model_path("cpu/inverse_dynamics")
HORIZON, COMMITTED = 8, 3


@pytest.fixture(scope="module", params=("pick_place", "lift"))
def recording(request):
    """Mosaics, states, commands and instruction of an undisturbed expert on an unseen scene."""
    cell = Cell()
    episode = record_episode(cell, find_task(request.param), 77, "validation", perturb=False)
    cell.close()
    frames = np.stack(
        [
            compose_mosaic({name: images[n] for name, images in episode.images.items()}, cell.spec)
            for n in range(len(episode.state))
        ]
    )
    commands = np.concatenate([episode.action[:1], episode.action[:-1]])
    return frames, episode.state, commands, episode.instruction


def test_the_checkpoints_are_of_the_embedded_cell():
    assert VideoPredictor.load(VIDEO).config.spec == EMBEDDED_CELL
    assert InverseDynamics.load(INVERSE_DYNAMICS).config.spec == EMBEDDED_CELL


def test_imagined_frames_are_nearer_to_what_happens_than_the_last_frame(recording):
    frames, states, commands, instruction = recording
    predictor = VideoPredictor.load(VIDEO)
    predictor.reset(instruction)
    imagined, copied = [], []
    for n in range(len(frames) - HORIZON):
        predictor.append(frames[n], states[n])
        if n % 6 == 5:
            future = frames[n + 1 : n + 1 + HORIZON].astype(float)
            clip = predictor.predict(commands[n + 1 : n + 1 + COMMITTED])
            imagined.append(np.square(clip - future).mean())
            copied.append(np.square(frames[n].astype(float) - future).mean())
    assert np.mean(imagined) < 0.6 * np.mean(copied)


def test_real_clips_are_decoded_to_the_motion_that_made_them(recording):
    frames, states, commands, _ = recording
    model = InverseDynamics.load(INVERSE_DYNAMICS)
    errors = []
    for n in range(1, len(frames) - HORIZON, 3):
        future = slice(n + 1, n + 1 + HORIZON)
        decoded = model.decode(frames[n - 1 : n + 1], frames[future], states[n])
        for side, arm in (("left", slice(0, 6)), ("right", slice(7, 13))):
            true, _ = forward_kinematics(side, commands[future, arm])
            found, _ = forward_kinematics(side, decoded[:, arm])
            if np.ptp(true, axis=0).max() > 0.005:
                errors.extend(np.linalg.norm(found - true, axis=-1))
    assert np.median(errors) < 0.010  # metres

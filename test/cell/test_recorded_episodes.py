"""`pick_place` and `lift` are what they were when the shipped checkpoints were trained."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mujoco")

from record_episodes import RECORDED, digest, record

DIGEST = "6add89b2e8e9ae3ce288915ec25a78b725a42845a689c74c4f8a35af92a4a45e"
"""Of the recording, made before tasks became folders."""

POSITION_TOLERANCE = 1e-3
"""rad or m after an episode on another processor, whose arithmetic rounds differently."""

PIXEL_TOLERANCE = 2.0
"""Mean absolute difference in steps of 0..255 under another renderer."""


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    with np.load(RECORDED) as file:
        return dict(file)


def test_the_recording_is_the_one_from_before_tasks_became_folders(
    recorded: dict[str, np.ndarray],
) -> None:
    assert digest(recorded) == DIGEST


def test_same_seeds_give_same_scenes_pictures_and_motion(
    recorded: dict[str, np.ndarray],
) -> None:
    """Bit for bit where processor and renderer round alike; within a tolerance elsewhere."""
    found = record()
    assert found.keys() == recorded.keys()
    if digest(found) == DIGEST:
        return
    for key, expected in recorded.items():
        value, what = found[key], key.rsplit("/", 1)[1]
        assert value.shape == expected.shape, key
        if what in ("instruction", "clean"):
            assert np.array_equal(value, expected), key
        elif what in ("object", "home"):
            np.testing.assert_allclose(value, expected, atol=1e-12, err_msg=key)
        elif what in ("state", "action"):
            np.testing.assert_allclose(value, expected, atol=POSITION_TOLERANCE, err_msg=key)
        elif what.endswith("_sum"):
            np.testing.assert_allclose(value, expected, rtol=0.01, err_msg=key)
        else:
            error = np.abs(value.astype(int) - expected.astype(int)).mean()
            assert error < PIXEL_TOLERANCE, f"{key}: {error:.2f}"

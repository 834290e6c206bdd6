"""What `InverseDynamics.decode` promises: shapes, determinism, non-causality, clear refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from synthetic import SMALL, SPEC

from dva_ros.inverse_dynamics.config import InverseDynamicsConfig
from dva_ros.inverse_dynamics.decoder import InverseDynamics
from dva_ros.inverse_dynamics.model import InverseDynamicsNet
from dva_ros.inverse_dynamics.statistics import JointStatistics

ONES = np.ones(SPEC.num_joints, dtype=np.float32)


def decoder(config: InverseDynamicsConfig = SMALL) -> InverseDynamics:
    """An untrained model whose head says something."""
    torch.manual_seed(0)
    net = InverseDynamicsNet(config)
    torch.nn.init.normal_(net.head.weight, std=0.1)
    return InverseDynamics(config, JointStatistics(0 * ONES, ONES, ONES), net)


def inputs(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise frames and a random state."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, size=(10, 80, 64, 3), dtype=np.uint8)
    return frames[:2], frames[2:], rng.uniform(-1, 1, 14).astype(np.float32)


def test_decode_gives_one_float32_command_per_clip_frame_and_joint() -> None:
    """H x J commands, finite."""
    commands = decoder().decode(*inputs())
    assert commands.shape == (8, 14)
    assert commands.dtype == np.float32
    assert np.isfinite(commands).all()


def test_decode_is_deterministic_and_keeps_its_inputs() -> None:
    """Equal inputs, equal output; nothing is changed in place."""
    model, given, copy = decoder(), inputs(), inputs()
    assert np.array_equal(model.decode(*given), model.decode(*given))
    assert all(np.array_equal(a, b) for a, b in zip(given, copy, strict=True))


def test_a_later_frame_changes_an_earlier_target() -> None:
    """The network is not causal over the clip."""
    real, clip, state = inputs()
    changed = clip.copy()
    changed[-1] = 255 - changed[-1]
    model = decoder()
    assert not np.allclose(
        model.decode(real, clip, state)[0], model.decode(real, changed, state)[0], atol=1e-6
    )


@pytest.mark.parametrize("camera_rows", [slice(0, 48), slice(48, 80)])
@pytest.mark.parametrize("frame", [0, 1])
def test_every_camera_of_every_real_frame_matters(camera_rows: slice, frame: int) -> None:
    """No part of the real frames is ignored."""
    real, clip, state = inputs()
    changed = real.copy()
    changed[frame, camera_rows] = 255 - changed[frame, camera_rows]
    model = decoder()
    assert not np.allclose(
        model.decode(real, clip, state), model.decode(changed, clip, state), atol=1e-6
    )


def test_an_untrained_model_holds_still() -> None:
    """The head starts at zero: the commands are the measured state."""
    real, clip, state = inputs()
    statistics = JointStatistics(0 * ONES, ONES, ONES)
    model = InverseDynamics(SMALL, statistics, InverseDynamicsNet(SMALL))
    assert np.array_equal(model.decode(real, clip, state), np.tile(state, (8, 1)))


def test_bfloat16_convolutions_change_little() -> None:
    """Both precisions agree within a small part of the offsets."""
    full, half = decoder(), decoder()
    half._net.low_precision = True
    given = inputs()
    offset = full.decode(*given) - given[2]
    assert np.abs(full.decode(*given) - half.decode(*given)).max() < 0.05 * np.abs(offset).max()


def test_wrong_input_is_refused_and_named() -> None:
    """Each message says which input it is about."""
    real, clip, state = inputs()
    model = decoder()
    with pytest.raises(ValueError, match=r"real must be uint8 \[2, 80, 64, 3\], got float32"):
        model.decode(real.astype(np.float32), clip, state)
    with pytest.raises(ValueError, match=r"clip must be .* got uint8 \[7, 80, 64, 3\]"):
        model.decode(real, clip[:-1], state)
    with pytest.raises(ValueError, match=r"state must be \[14\], got \[13\]"):
        model.decode(real, clip, state[:-1])
    state[6] = np.nan
    with pytest.raises(ValueError, match="state of joint left_gripper is nan"):
        model.decode(real, clip, state)


def test_the_default_model_has_one_to_two_million_parameters() -> None:
    """The size that a chunk in 25 ms on one core allows."""
    net = InverseDynamicsNet(InverseDynamicsConfig())
    assert 1e6 < sum(p.numel() for p in net.parameters()) < 2e6

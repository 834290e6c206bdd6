"""The motion readout that is trained beside the video."""

from __future__ import annotations

import pytest
import torch
from moving_square import small_config

from dva_ros.training.motion_loss import ARM_SCALE_RAD, GRIPPER_SCALE_M, MotionReadout

CONFIG = small_config()
STD = torch.tensor(CONFIG.state_std)


def answer(readout: MotionReadout, motion: torch.Tensor, weight: torch.Tensor) -> float:
    """Loss of a readout that always says no motion, when `motion` [J] (rad, m) was right."""
    tokens = torch.randn(1, 1, 4, CONFIG.num_slots, CONFIG.width)
    state = torch.randn(1, 1, 3)
    committed = state[..., None, :] + (motion / STD).expand(1, 1, 4, 3)
    return float(readout.loss(tokens, committed, state, weight).detach())


def test_an_error_counts_alike_in_arms_and_grippers() -> None:
    """0.1 rad of an arm joint weighs as much as 1 cm of a finger, whatever the statistics."""
    readout, weight = MotionReadout(CONFIG), torch.full((1, 1, 4), 0.25)
    arm = answer(readout, torch.tensor([ARM_SCALE_RAD, 0.0, 0.0]), weight)
    gripper = answer(readout, torch.tensor([0.0, GRIPPER_SCALE_M, 0.0]), weight)
    assert arm == pytest.approx(0.95 / 3, rel=1e-4)
    assert gripper == pytest.approx(arm, rel=1e-4)


def test_the_right_motion_costs_nothing_and_unclean_frames_neither() -> None:
    """Zero error is zero loss; a frame of weight zero teaches no motion."""
    readout, weight = MotionReadout(CONFIG), torch.full((1, 1, 4), 0.25)
    assert answer(readout, torch.zeros(3), weight) == pytest.approx(0, abs=1e-6)
    assert answer(readout, torch.ones(3), torch.zeros(1, 1, 4)) == 0


def test_the_readout_looks_at_the_proprioception_slot_only() -> None:
    """Features of the patches do not reach it directly."""
    readout = MotionReadout(CONFIG)
    torch.nn.init.normal_(readout.out.weight)
    tokens = torch.randn(1, 2, 4, CONFIG.num_slots, CONFIG.width)
    changed = tokens.clone()
    changed[..., :-1, :] += 1
    torch.testing.assert_close(readout(changed), readout(tokens))
    changed[..., -1, :] *= torch.linspace(0, 1, CONFIG.width)
    assert not torch.allclose(readout(changed), readout(tokens))

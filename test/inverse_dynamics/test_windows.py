"""Windows, their disturbance, and the error measure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from synthetic import SMALL, SPEC, synthetic_store

from dva_ros.cell.kinematics import forward_kinematics
from dva_ros.training.end_effector import end_effectors_of
from dva_ros.training.idm_accuracy import IdmAccuracy
from dva_ros.training.idm_augment import Augmentation
from dva_ros.training.idm_data import WindowSource


def test_windows_stay_inside_their_episode() -> None:
    """The first frame stands for the one before it; the last clip ends with the episode."""
    store = synthetic_store(episodes=2, length=12)
    source = WindowSource(store, SMALL)
    assert source.anchors.tolist() == [0, 1, 2, 3, 12, 13, 14, 15]
    windows = source.gather(np.array([4, 7]))
    assert np.array_equal(windows.frames[0, 0], windows.frames[0, 1])
    assert np.array_equal(windows.frames[1], store.gather_frames(np.arange(14, 24)))
    assert np.array_equal(windows.command[1], store.command[16:24])
    assert np.array_equal(windows.state[1], store.state[15])


def test_windows_of_a_view_leave_the_other_episodes_alone() -> None:
    """A split's windows are those of its episodes only."""
    store = synthetic_store(episodes=3, length=12)
    assert WindowSource(store.select([1]), SMALL).anchors.tolist() == [12, 13, 14, 15]


def test_disturbance_is_reproducible_and_spares_real_frames_from_blur() -> None:
    """Blur and smear touch the clip alone, later frames more."""
    windows = WindowSource(synthetic_store(), SMALL).gather(np.arange(4))
    only_blur = Augmentation(chance=1, smear=0, noise=0, brightness=0, contrast=0)
    real = np.zeros(4, dtype=bool)

    def apply(what: Augmentation, predicted: np.ndarray) -> np.ndarray:
        return what.apply(windows.frames, SMALL, np.random.default_rng(3), predicted)

    blurred = apply(only_blur, real)
    assert np.array_equal(blurred, apply(only_blur, real))
    change = np.abs(blurred.astype(int) - windows.frames).mean(axis=(0, 2, 3, 4))
    assert change[:2].max() == 0
    assert change[-1] > change[3]
    assert np.array_equal(apply(only_blur, ~real), windows.frames)
    everything = apply(replace(only_blur, noise=5.0, brightness=9.0, contrast=0.1), real)
    assert everything.dtype == np.uint8
    assert not np.array_equal(everything[:, :2], windows.frames[:, :2])


def test_jacobians_agree_with_moving_the_joints() -> None:
    """A small joint error moves both grasp points as the linear loss says."""
    rng = np.random.default_rng(0)
    joints = rng.uniform(-0.5, 0.5, (5, SPEC.num_joints)).astype(np.float32)
    error = rng.normal(0, 1e-3, joints.shape).astype(np.float32)
    effectors = end_effectors_of(SPEC)
    assert effectors is not None
    assert effectors.tips == ("left_grasp", "right_grasp")
    moved = (effectors.positions(joints + error) - effectors.positions(joints)).reshape(5, 6)
    linear = (effectors.jacobians(joints) @ error[..., None])[..., 0]
    assert np.abs(moved - linear).max() < 1e-5


def test_the_error_counts_moving_arms_and_compares_with_holding_still() -> None:
    """A resting arm's exact target does not flatter the median."""
    state = np.zeros((1, SPEC.num_joints), dtype=np.float32)
    command = np.zeros((1, 8, SPEC.num_joints), dtype=np.float32)
    command[..., 0] = 0.2  # the left waist turns
    hold = np.zeros_like(command)
    effectors = end_effectors_of(SPEC)
    assert effectors is not None
    accuracy = IdmAccuracy.measure(hold, command, state, SPEC, effectors)
    reach = effectors.positions(state)[0, 0] - effectors.positions(command)[0, 0, 0]
    assert accuracy.effector is not None
    assert np.isclose(accuracy.effector.median_mm, 1000 * np.linalg.norm(reach))
    assert accuracy.effector.median_mm == accuracy.effector.hold_median_mm
    assert accuracy.joint_mae_rad == accuracy.joint_hold_mae_rad
    exact = IdmAccuracy.measure(command, command, state, SPEC, effectors)
    assert exact.effector is not None
    assert exact.effector.p90_mm == 0


def test_positions_are_those_of_the_cell_s_own_kinematics() -> None:
    """Pinocchio and the closed form read the same description."""
    joints = np.random.default_rng(1).uniform(-0.5, 0.5, (4, SPEC.num_joints))
    effectors = end_effectors_of(SPEC)
    assert effectors is not None
    for arm, side in enumerate(("left", "right")):
        expected = forward_kinematics(side, joints[:, 7 * arm : 7 * arm + 6])[0]
        assert np.allclose(effectors.positions(joints)[:, arm], expected, atol=1e-9)

"""Taking over from another sender, giving way to one, holding, and approval of each clip."""

from __future__ import annotations

import numpy as np
import pytest
from streams import HOME, LIMITS, NAMES, SCALE, answer, engaged, frame, targets_after

from dva_ros.cell.controller import (
    ControllerParameters,
    Generation,
    JointState,
    JointTrajectoryController,
)
from dva_ros.leapfrog.messages import Mode
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.scheduler import Leapfrog
from dva_ros.trajectory import Trajectory, TrajectoryPoint

MOVING = np.where(SCALE > 0.1, 0.6, 0.0)
STILL = np.zeros(len(NAMES))


def _controller(generation: Generation) -> JointTrajectoryController:
    return JointTrajectoryController(
        NAMES,
        generation,
        ControllerParameters(
            interpolate_from_desired_state=True, allow_trajectory_replacement=False
        ),
    )


@pytest.mark.parametrize("generation", list(Generation))
def test_another_senders_motion_is_taken_over_without_a_step(generation: Generation) -> None:
    """From the controller's own reference with its velocity to rest, on every generation."""
    controller, position = _controller(generation), HOME
    leapfrog = Leapfrog(LeapfrogParameters(), LIMITS, NAMES)
    commands = []
    for tick in range(200):
        now = 1.0 + tick * 0.01
        if tick == 1:
            far = TrajectoryPoint(HOME + 1.0 * MOVING, 1.0, MOVING)
            rest = TrajectoryPoint(HOME + 1.2 * MOVING, 1.5, STILL)
            assert controller.submit(Trajectory(NAMES, (far, rest)), now) is None
        if tick == 60:
            state = controller.state
            assert state is not None
            before = state.reference
            decision = leapfrog.engage(
                now,
                before.positions + 0.01 * before.velocities,
                before.velocities + 0.01 * before.accelerations,
                before.accelerations,
            )
            assert decision.refusal == ""
            assert decision.trajectory is not None
            assert controller.submit(decision.trajectory, now) is None
        position = controller.update(now, JointState(position, STILL)).copy()
        commands.append(position)
    velocities = np.diff(np.stack(commands), axis=0) / 0.01
    accelerations = np.diff(velocities[40:], axis=0) / 0.01
    assert np.abs(velocities[58]).max() > 0.5
    assert (np.abs(accelerations).max(0) <= 1.01 * LIMITS.acceleration).all()
    assert np.abs(velocities[110:]).max() < 1e-9
    np.testing.assert_allclose(commands[-1], leapfrog.state.motion.final_position, atol=0.01)


def test_nothing_is_asked_for_until_the_robot_taken_over_stands() -> None:
    """Motion is continued only from where the controller surely is."""
    leapfrog = Leapfrog(LeapfrogParameters(), LIMITS, NAMES)
    assert leapfrog.engage(0.0, HOME, MOVING).trajectory is not None
    leapfrog.on_joint_states(0.1, HOME)
    assert leapfrog.on_frame(frame(1), 0.1).request is None
    request = None
    for index in range(2, 6):
        leapfrog.on_joint_states(index * 0.1, HOME)
        request = leapfrog.on_frame(frame(index), index * 0.1).request or request
    assert request is not None
    np.testing.assert_allclose(request.anchor, leapfrog.state.motion.final_position, atol=1e-6)


def test_too_fast_a_motion_is_not_taken_over() -> None:
    """What cannot be stopped inside the limits stays with its sender; the joint is named."""
    leapfrog = Leapfrog(LeapfrogParameters(), LIMITS, NAMES)
    fast = STILL.copy()
    fast[3] = 1.5 * LIMITS.velocity[3]
    assert NAMES[3] in leapfrog.engage(0.0, HOME, fast).refusal
    assert leapfrog.state.mode == Mode.DISENGAGED


def test_another_sender_that_takes_over_is_given_way_to() -> None:
    """Nothing is sent against it: engaged, the controller goes elsewhere, disengaged."""
    leapfrog = engaged()
    decision = None
    for tick in range(20, 60):
        now = tick * 0.01
        elsewhere = HOME + min(1.0, (tick - 20) / 20) * SCALE
        decision = leapfrog.on_commanded(now, now, elsewhere)
        assert decision.trajectory is None
        if decision.note:
            break
    assert decision is not None
    assert "another sender" in leapfrog.state.reason
    assert leapfrog.state.mode == Mode.DISENGAGED


def test_the_controllers_own_commands_are_not_another_sender() -> None:
    """What it was sent, a little early or late, is what it commands."""
    leapfrog = engaged()
    request = leapfrog.on_frame(frame(0), 0.0).request
    assert request is not None
    leapfrog.on_joint_states(0.2, HOME)
    leapfrog.accept(answer(request, targets_after(0, 2.0)), 0.2)
    for tick in range(20, 110):
        now = tick * 0.01
        commanded = leapfrog.state.motion.sample(now + 0.01)[0]
        assert leapfrog.on_commanded(now, now, commanded).note == ""
    assert leapfrog.state.engaged


def test_holding_stops_smoothly_and_resuming_asks_again() -> None:
    """Hold keeps the engagement; what was in flight is not executed."""
    leapfrog = engaged()
    request = leapfrog.on_frame(frame(0), 0.0).request
    assert request is not None
    leapfrog.on_joint_states(0.2, HOME)
    leapfrog.accept(answer(request, targets_after(0, 2.0)), 0.2)
    stopped = leapfrog.hold(0.4)
    assert stopped.trajectory is not None
    assert leapfrog.state.mode == Mode.STOPPING
    assert leapfrog.state.motion.end < 1.0
    for index in range(5, 12):
        leapfrog.on_joint_states(index * 0.1, HOME)
        assert leapfrog.on_frame(frame(index), index * 0.1).request is None
    assert leapfrog.state.mode == Mode.HOLDING
    assert "operator" in leapfrog.state.reason
    leapfrog.resume(1.1)
    assert leapfrog.on_frame(frame(12), 1.2).request is not None


def _proposed() -> Leapfrog:
    leapfrog = engaged(parameters=LeapfrogParameters(single_step=True))
    request = leapfrog.on_frame(frame(0), 0.0).request
    assert request is not None
    assert len(request.committed) == 0
    leapfrog.on_joint_states(0.2, HOME)
    decision = leapfrog.accept(answer(request, targets_after(0)), 0.2)
    assert decision.trajectory is None
    assert "approval" in decision.note
    for index in range(3, 31):
        leapfrog.on_joint_states(index * 0.1, HOME)
        assert leapfrog.on_frame(frame(index), index * 0.1).request is None
    assert leapfrog.state.mode == Mode.HOLDING
    assert leapfrog.status(3.0).approval_wanted
    return leapfrog


def test_in_single_step_mode_a_clip_waits_for_approval_and_then_executes_once() -> None:
    """Imagine, look, approve, execute to rest, imagine again."""
    leapfrog = _proposed()
    assert leapfrog.approve(3.05, True).trajectory is not None
    np.testing.assert_allclose(
        leapfrog.state.motion.sample(3.05 + 0.08 + 0.6)[0], targets_after(0)[5], atol=0.01
    )
    assert leapfrog.approve(3.06, True).refusal.startswith("nothing to approve")
    asked = []
    for index in range(31, 60):
        leapfrog.on_joint_states(index * 0.1, leapfrog.state.motion.sample(index * 0.1)[0])
        if leapfrog.on_frame(frame(index), index * 0.1).request is not None:
            asked.append(index)
    assert asked[0] * 0.1 >= leapfrog.state.motion.end - 1e-6


def test_a_clip_that_is_not_approved_is_imagined_again() -> None:
    """No is no: nothing moves."""
    leapfrog = _proposed()
    decision = leapfrog.approve(3.05, False)
    assert decision.trajectory is None
    assert leapfrog.on_frame(frame(31), 3.1).request is not None

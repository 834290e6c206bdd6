"""What the scheduler costs, distances included."""

from __future__ import annotations

import time

import pytest
from streams import HOME, LIMITS, NAMES, answer, frame, targets_after

from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.scheduler import Leapfrog

SECONDS = 6.0


def test_it_takes_less_than_a_tenth_of_a_core_at_100_hz() -> None:
    """Joint states and controller states at 100 Hz, frames at 10 Hz, chunks at 250 ms."""
    pytest.importorskip("pinocchio", reason="pinocchio is not installed; run make setup")
    from dva_ros.cell.description import robot_description
    from dva_ros.leapfrog.clearance import Box, Clearance

    table = Box("table", (4.0, 4.0, 1.0), (0.0, 0.0, -0.5), allowed=10.0)
    guard = Clearance(robot_description(), NAMES, ("left_", "right_"), [table], margin=0.0)
    leapfrog = Leapfrog(LeapfrogParameters(), LIMITS, NAMES, guard)
    leapfrog.engage(0.0, HOME)
    spent, request, due = 0.0, None, 0.0
    for tick in range(int(SECONDS * 100)):
        now = tick * 0.01
        position = leapfrog.state.motion.sample(now)[0]
        targets = targets_after(request.frame_index) if request is not None else None
        begun = time.process_time()
        leapfrog.on_joint_states(now, position)
        leapfrog.on_commanded(now, now, position)
        if tick % 5 == 0:
            leapfrog.watch(now)
            leapfrog.status(now)
        if request is not None and targets is not None and now >= due:
            assert leapfrog.accept(answer(request, targets), now).refusal == ""
            request = None
        if tick % 10 == 0:
            made = leapfrog.on_frame(frame(tick // 10), now).request
            request, due = (made, now + 0.25) if made is not None else (request, due)
        spent += time.process_time() - begun
    assert leapfrog.state.predictions > 15
    assert spent / SECONDS < 0.1, f"{spent / SECONDS:.1%} of a core"

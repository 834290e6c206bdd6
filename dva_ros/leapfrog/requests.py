"""When the future is asked for, and what the question says."""

from __future__ import annotations

import numpy as np

from ..context.grid import TimeGrid
from .messages import Frame, Request
from .parameters import LeapfrogParameters
from .scheduler_state import SchedulerState


def waiting(
    state: SchedulerState, parameters: LeapfrogParameters, frame: Frame, now: float
) -> bool:
    """It is not yet time for a new request."""
    if parameters.single_step:
        return now < state.motion.end or state.proposal is not None
    return (
        state.last_requested is not None
        and frame.index - state.last_requested < parameters.execution_horizon
    )


def next_request(
    state: SchedulerState, parameters: LeapfrogParameters, frame: Frame, now: float
) -> Request:
    """Ask for the future after a frame, given the motion that executes meanwhile."""
    grid = TimeGrid.of_frame(frame.index, frame.stamp, parameters.frame_period_s)
    count = 0 if parameters.single_step else state.budget.committed_frames
    times = [grid.time(frame.index + i) for i in range(count + 1)]
    positions = state.motion.sample(np.array(times))[0]
    state.request_id += 1
    request = Request(
        session=frame.session,
        request_id=state.request_id,
        frame_index=frame.index,
        stamp=frame.stamp,
        committed=positions[1:].astype(np.float32),
        anchor=positions[0],
        num_steps=state.budget.num_steps,
    )
    state.in_flight, state.in_flight_since = request, now
    state.last_requested = frame.index
    return request

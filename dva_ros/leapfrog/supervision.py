"""Whether motion may go on, and the mode that follows from it."""

from __future__ import annotations

import numpy as np

from .messages import Mode
from .parameters import LeapfrogParameters
from .scheduler_state import SchedulerState


def blocked(state: SchedulerState, parameters: LeapfrogParameters, now: float) -> str:
    """Why motion may not go on now; empty if it may."""
    timeout = parameters.stale_timeout_s
    if state.held:
        return state.held
    if now - state.frame_arrival > timeout:
        return f"no context frame for {now - state.frame_arrival:.1f} s"
    if state.joint_states_fault:
        return state.joint_states_fault
    if now - state.joint_states_arrival > timeout:
        return f"no joint states for {now - state.joint_states_arrival:.1f} s"
    return state.tracking.fault


def update_mode(state: SchedulerState, parameters: LeapfrogParameters, now: float) -> None:
    """Set the mode, and the reason where the mode changes."""
    moving = now < state.motion.end
    if not state.engaged:
        if state.mode != Mode.FAULT:
            state.mode = Mode.STOPPING if moving else Mode.DISENGAGED
        return
    why = blocked(state, parameters, now)
    if not why and state.proposal is not None:
        why = f"chunk {state.proposal.chunk_id} waits for approval"
    if not why and state.committed_until is not None and now > state.committed_until:
        why = "no chunk in time"
    if not why:
        if state.mode != Mode.ENGAGED:
            state.mode, state.reason = Mode.ENGAGED, ""
        return
    mode = Mode.STOPPING if moving else Mode.HOLDING
    if mode != state.mode:
        state.mode, state.reason = mode, why


def positions_fault(positions: np.ndarray, joint_names: tuple[str, ...]) -> str:
    """What is wrong with values of the joints, in words; empty if nothing."""
    if positions.shape != (len(joint_names),):
        return f"joint states have {positions.shape} values, not {len(joint_names)}"
    bad = ~np.isfinite(positions)
    if bad.any():
        return f"joint states: {joint_names[int(np.argmax(bad))]} is not finite"
    return ""

"""Leapfrog: the robot executes one chunk of motion while the next is being predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..trajectory import Trajectory
from .chunk_checks import require_answer, targets_of
from .clearance import Guard
from .engagement import engaged
from .frame_checks import require_frame
from .latency_budget import LatencyBudget
from .limits import JointLimits
from .messages import Chunk, Decision, Frame, Mode, RefusedError, Request, Status
from .motion import Motion
from .parameters import MAX_OVERLAP_S, LeapfrogParameters
from .requests import next_request, waiting
from .scheduler_state import Proposal, SchedulerState
from .sent_trajectory import trajectory_to_send
from .splice import splice, stop
from .supervision import blocked, positions_fault, update_mode

_CLOCK_TOLERANCE_S = 0.001
_OTHER_SENDER = 0.2
"""Share of `jump` by which the controller may be elsewhere before another sender is assumed."""


class Leapfrog:
    """Decides when to ask for the future and what of the answer becomes motion.

    Every method takes `now`, seconds on the robot's clock, and returns a `Decision`: what to
    send. There is no clock and no thread inside, and `state` is all it remembers. Every
    trajectory ends at rest, so that silence from here on is a smooth stop.

    A clock that steps back disarms: mode FAULT and silence, until the next `engage`.
    """

    def __init__(
        self,
        parameters: LeapfrogParameters,
        limits: JointLimits,
        joint_names: Sequence[str],
        guard: Guard | None = None,
    ) -> None:
        """`guard` says why a motion comes too close to something, if it does."""
        if tuple(joint_names) != limits.joint_names:
            raise ValueError(
                f"limits are for joints {limits.joint_names}, not for {tuple(joint_names)}"
            )
        self.parameters = parameters
        self.limits = limits
        self.joint_names = tuple(joint_names)
        self.guard = guard
        rest = Motion.at_rest(0.0, np.zeros(len(self.joint_names)))
        self.state = SchedulerState(rest, limits, LatencyBudget(parameters))

    def engage(
        self,
        now: float,
        commanded: np.ndarray,
        velocity: np.ndarray | None = None,
        acceleration: np.ndarray | None = None,
    ) -> Decision:
        """Begin: take over from what the controller commands now, all [J].

        Where it stands (velocity None: it does) nothing is sent; where another sender's motion is
        under way, it is brought to rest smoothly. Joints slightly outside their range may come
        back into it, but go no further out.
        """
        try:
            self.state = engaged(
                self.state, self.parameters, self.limits, now, commanded, velocity, acceleration
            )
        except RefusedError as refusal:
            return self._refused(refusal.kind, refusal.detail)
        motion = self.state.motion
        if now >= self.state.taken_over:
            return Decision()
        return Decision(
            trajectory=trajectory_to_send(self.joint_names, motion, now, self.parameters)
        )

    def disengage(self, now: float, reason: str = "disengaged") -> Decision:
        """End: stop smoothly, then hold."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        state = self.state
        moving = state.engaged and now < state.motion.end
        state.idle_before = state.idle_s(now)
        state.engaged, state.in_flight, state.reason = False, None, reason
        state.proposal, state.held = None, ""
        decision = Decision(trajectory=self._stop(now)) if moving else Decision()
        update_mode(state, self.parameters, now)
        return decision

    def hold(self, now: float, reason: str = "held by the operator") -> Decision:
        """Stop smoothly and ask for nothing until `resume`; nothing where not engaged."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        state = self.state
        if not state.engaged or state.held:
            return Decision()
        state.held = reason
        decision = self.watch(now)
        state.reason = reason
        return decision

    def resume(self, now: float) -> Decision:
        """Go on after `hold`."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        failure = self.state.budget.refusal(now)
        if failure and self.state.held:
            return self._refused("cannot resume", failure)
        self.state.held, self.state.prediction_error = "", 0.0
        update_mode(self.state, self.parameters, now)
        return Decision()

    def approve(self, now: float, approved: bool) -> Decision:
        """In single-step mode: execute the clip that waits, or have another one predicted.

        The robot has been at rest since the clip's frame; its targets begin now.
        """
        fault = self._advance(now)
        if fault is not None:
            return fault
        proposal = self.state.proposal
        if proposal is None:
            return self._refused("nothing to approve", "no clip waits for approval")
        self.state.proposal = None
        if not approved:
            return Decision(note=f"chunk {proposal.chunk_id} is not approved")
        request = replace(proposal.request, stamp=now + self.parameters.lead_s)
        return self._follow(replace(proposal, request=request), now)

    def on_frame(self, frame: Frame, now: float) -> Decision:
        """A context frame has arrived: ask for the future after it where it is time to."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        state, previous = self.state, self.state.frame
        try:
            require_frame(frame, previous, now, self.parameters)
        except RefusedError as refusal:
            return self._refused_input(refusal.kind, refusal.detail)
        if previous is None or previous.session != frame.session:
            state.in_flight, state.last_requested, state.proposal = None, None, None
        state.frame, state.frame_arrival = frame, now
        update_mode(state, self.parameters, now)
        self._drop_overdue(now)
        return Decision(request=self._ask(now))

    def on_joint_states(self, now: float, positions: np.ndarray) -> Decision:
        """Measured positions [J] have arrived; without usable ones no motion is continued."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        state, positions = self.state, np.asarray(positions)
        state.joint_states_fault = positions_fault(positions, self.joint_names)
        if not state.joint_states_fault:
            state.joint_states_arrival = now
            if state.engaged and now >= state.taken_over:
                greatest = state.limits.tracking
                state.tracking.add(now, positions, state.motion, greatest, self.joint_names)
        update_mode(state, self.parameters, now)
        return Decision()

    def on_commanded(self, now: float, time: float, positions: np.ndarray) -> Decision:
        """The controller says what it commanded [J] at `time`: is it what it was sent?

        Another sender that has taken over is given way to: nothing more is sent.
        """
        fault = self._advance(now)
        if fault is not None:
            return fault
        state = self.state
        recent = now - 0.8 * MAX_OVERLAP_S <= time <= now + self.parameters.lead_s
        if not state.engaged or not recent or time < state.taken_over + self.parameters.lead_s:
            return Decision()
        greatest = _OTHER_SENDER * state.limits.jump
        state.reference.add(time, positions, state.motion, greatest, self.joint_names)
        if not state.reference.fault:
            return Decision()
        state.motion = Motion.at_rest(now, positions)
        decision = self.disengage(now, f"another sender moves the robot: {state.reference.fault}")
        return replace(decision, note=f"gave way to another sender: {state.reference.fault}")

    def on_prediction_error(self, now: float, score: float) -> Decision:
        """How far a frame is from its prediction; see `prediction_error.py`."""
        self.state.prediction_error = score
        greatest = self.parameters.max_prediction_error
        if not greatest or score <= greatest:
            return Decision()
        return self.hold(now, f"prediction error score {score:.1f} (at most {greatest:g})")

    def accept(self, chunk: Chunk, now: float) -> Decision:
        """A chunk has arrived: splice it onto the executing motion, or refuse it.

        Where it is refused, or says that there is no answer, the newest frame is asked for at
        once: motion ends before the next regular answer.
        """
        fault = self._advance(now)
        if fault is not None:
            return fault
        state = self.state
        update_mode(state, self.parameters, now)
        if not state.engaged:
            return self._refused_input("not engaged", f"chunk {chunk.chunk_id}")
        try:
            request = require_answer(chunk, state.in_flight)
        except RefusedError as refusal:
            return self._refused(refusal.kind, refusal.detail)
        state.in_flight = None
        decision = self._use(chunk, request, now)
        return replace(decision, request=self._ask_again(now)) if decision.refusal else decision

    def watch(self, now: float) -> Decision:
        """To be called regularly (20 Hz): notices what did not come, and stops where it must."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        state, until = self.state, self.state.committed_until
        dropped = self._drop_overdue(now)
        why = blocked(state, self.parameters, now) if state.engaged else ""
        decision = Decision(refusal=dropped)
        if why and until is not None and now + self.parameters.lead_s < until:
            state.committed_until, state.in_flight = now, None
            decision = Decision(trajectory=self._stop(now), refusal=dropped)
        update_mode(state, self.parameters, now)
        return decision

    def status(self, now: float) -> Status:
        """What is published about it."""
        return self.state.status(now)

    def _advance(self, now: float) -> Decision | None:
        """Take the new time; a step back is a fault, whose decision is returned.

        Nothing is sent then: a message of the old time would move a robot whose simulator began
        anew to where the old one was. What is on the wire ends at rest.
        """
        state = self.state
        if not now < state.now - _CLOCK_TOLERANCE_S:
            state.now = max(state.now, now)
            return None
        before, moving = state.now, state.now < state.motion.end
        reason = f"the clock went back from {before:.3f} to {now:.3f} s"
        was_engaged = state.engaged
        rest = Motion.at_rest(now, state.motion.final_position)
        state.motion, state.now, state.committed_until = rest, now, None
        state.engaged, state.in_flight, state.frame = False, None, None
        state.last_requested, state.proposal = None, None
        if not (was_engaged or moving):
            return None
        state.mode = Mode.FAULT
        return self._refused("clock", reason)

    def _ask(self, now: float) -> Request | None:
        """The request after the newest frame, where it is time for one."""
        state, frame = self.state, self.state.frame
        if frame is None or not state.engaged or now < state.taken_over:
            return None
        if state.in_flight is not None or blocked(state, self.parameters, now):
            return None
        if waiting(state, self.parameters, frame, now):
            return None
        return next_request(state, self.parameters, frame, now)

    def _ask_again(self, now: float) -> Request | None:
        """As `_ask`, without waiting; but never twice after one frame."""
        asked, self.state.last_requested = self.state.last_requested, None
        frame = self.state.frame
        return None if frame is None or frame.index == asked else self._ask(now)

    def _use(self, chunk: Chunk, request: Request, now: float) -> Decision:
        """Count the answer to a request and follow it, or refuse it."""
        state = self.state
        try:
            if chunk.refusal:
                raise RefusedError("no answer", chunk.refusal)
            note = state.budget.add(now - request.stamp, now, chunk.num_steps)
            if state.budget.refusal(now):
                return replace(self.hold(now, state.budget.refusal(now)), note=note)
            targets = targets_of(chunk, request, self.joint_names, self.parameters)
        except RefusedError as refusal:
            return self._refused(refusal.kind, refusal.detail)
        proposal = Proposal(chunk.chunk_id, request, targets)
        if self.parameters.single_step:
            state.proposal = proposal
            update_mode(state, self.parameters, now)
            return Decision(note=f"chunk {chunk.chunk_id} waits for approval")
        return replace(self._follow(proposal, now), note=note)

    def _follow(self, proposal: Proposal, now: float) -> Decision:
        """Make a chunk the motion, or refuse it."""
        state, request, targets = self.state, proposal.request, proposal.targets
        try:
            why = blocked(state, self.parameters, now)
            if why:
                raise RefusedError("input not usable", why)
            plan = splice(state.motion, request, targets, now, self.parameters, state.limits)
            close = self.guard.refusal(plan.motion, plan.start) if self.guard else ""
            if close:
                raise RefusedError("too close", close)
        except RefusedError as refusal:
            return self._refused(refusal.kind, refusal.detail)
        state.execute(plan, proposal, now)
        update_mode(state, self.parameters, now)
        message = trajectory_to_send(self.joint_names, plan.motion, now, self.parameters)
        return Decision(trajectory=message)

    def _stop(self, now: float) -> Trajectory | None:
        """Make the executing motion a smooth stop; the message that tells the controllers."""
        state = self.state
        if now < state.taken_over:
            return None
        state.motion = stop(state.motion, now, self.parameters, state.limits)
        return trajectory_to_send(self.joint_names, state.motion, now, self.parameters)

    def _drop_overdue(self, now: float) -> str:
        """Give up a request without answer; says so."""
        state, request = self.state, self.state.in_flight
        waited = now - state.in_flight_since
        if request is None or waited <= self.parameters.request_timeout_s:
            return ""
        state.in_flight = None
        detail = f"request {request.request_id} is dropped after {waited:.1f} s"
        return self._refused("no answer", detail).refusal

    def _refused_input(self, kind: str, detail: str) -> Decision:
        """As `_refused`, but the reason for which an engagement ended stays to be read."""
        ended = "" if self.state.engaged else self.state.reason
        decision = self._refused(kind, detail)
        self.state.reason = ended or decision.refusal
        return decision

    def _refused(self, kind: str, detail: str) -> Decision:
        self.state.refusals[kind] += 1
        self.state.reason = f"{kind}: {detail}"
        return Decision(refusal=self.state.reason)

"""Leapfrog: the robot executes one chunk of motion while the next is being imagined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..trajectory import Trajectory, TrajectoryPoint
from .consistency import consistency
from .latency import LatencyTracker
from .limits import JointLimits
from .messages import Chunk, Decision, Frame, Mode, RefusedError, Request, Status
from .motion import Motion
from .parameters import MAX_OVERLAP_S, LeapfrogParameters
from .splice import Splice, splice, stop
from .state import LeapfrogState
from .timeline import Timeline

_CLOCK_TOLERANCE_S = 0.001
_LEAST_STAMP_S = 0.001


class Leapfrog:
    """Decides when to ask for the future and what of the answer becomes motion.

    Every method takes `now`, seconds on the robot's clock, and returns a `Decision`: what to
    send. There is no clock and no thread inside, and `state` is all it remembers. Every
    trajectory ends at rest, so that silence from here on is a smooth stop.

    A clock that steps back disarms: mode FAULT and a stop message, until the next `engage`.
    """

    def __init__(
        self, parameters: LeapfrogParameters, limits: JointLimits, joint_names: Sequence[str]
    ) -> None:
        if tuple(joint_names) != limits.joint_names:
            raise ValueError(
                f"limits are for joints {limits.joint_names}, not for {tuple(joint_names)}"
            )
        self.parameters = parameters
        self.limits = limits
        self.joint_names = tuple(joint_names)
        self.state = LeapfrogState(Motion.at_rest(0.0, np.zeros(len(self.joint_names))), limits)

    def engage(self, now: float, commanded: np.ndarray) -> Decision:
        """Begin: take over at rest from the controller's own commanded positions [J].

        Joints slightly outside their range may come back into it, but go no further out.
        """
        commanded = np.asarray(commanded, np.float64)
        fault = self._positions_fault(commanded)
        if fault:
            return self._refused("cannot engage", fault)
        old = self.state
        outside = np.maximum(self.limits.lower - commanded, commanded - self.limits.upper)
        worst = int(np.argmax(outside / self.limits.correction))
        if outside[worst] > self.limits.correction[worst]:
            return self._refused(
                "cannot engage",
                f"{self.joint_names[worst]} is at {commanded[worst]:.3f}, outside its range "
                f"{self.limits.lower[worst]:.3f} .. {self.limits.upper[worst]:.3f}",
            )
        self.state = LeapfrogState(
            Motion.at_rest(now, commanded),
            self.limits.including(commanded),
            mode=Mode.ENGAGED,
            engaged=True,
            now=now,
            frame=old.frame,
            frame_arrival=now,
            joint_states_arrival=now,
            request_id=old.request_id,
            latency=LatencyTracker(self.parameters.cold_start),
        )
        return Decision()

    def disengage(self, now: float, reason: str = "disengaged") -> Decision:
        """End: stop smoothly, then hold."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        state = self.state
        moving = state.engaged and now < state.motion.end
        state.idle_before = state.idle_s(now)
        state.engaged, state.in_flight, state.reason = False, None, reason
        decision = Decision(trajectory=self._stop(now)) if moving else Decision()
        self._update_mode(now)
        return decision

    def on_frame(self, frame: Frame, now: float) -> Decision:
        """A context frame has arrived: ask for the future after it where it is time to."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        state = self.state
        previous = state.frame
        same_session = previous is not None and previous.session == frame.session
        if previous is not None and same_session and frame.index <= previous.index:
            return self._refused(
                "frame out of order", f"frame {frame.index} after frame {previous.index}"
            )
        if not abs(now - frame.stamp) <= self.parameters.stale_timeout_s:
            return self._refused(
                "frame stale", f"frame {frame.index} is stamped {now - frame.stamp:.3f} s ago"
            )
        if not same_session:
            state.in_flight, state.last_requested = None, None
        state.frame, state.frame_arrival = frame, now
        self._update_mode(now)
        if not state.engaged or self._blocked(now):
            return Decision()
        self._drop_overdue(now)
        waiting = (
            state.last_requested is not None
            and frame.index - state.last_requested < self.parameters.execute_frames
        )
        if state.in_flight is not None or waiting:
            return Decision()
        return Decision(request=self._request(frame, now))

    def on_joint_states(self, now: float, positions: np.ndarray) -> Decision:
        """Measured positions [J] have arrived; without usable ones no motion is continued."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        self.state.joint_states_fault = self._positions_fault(np.asarray(positions))
        if not self.state.joint_states_fault:
            self.state.joint_states_arrival = now
        self._update_mode(now)
        return Decision()

    def accept(self, chunk: Chunk, now: float) -> Decision:
        """A chunk has arrived: splice it onto the executing motion, or refuse it."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        self._update_mode(now)
        state = self.state
        try:
            request = self._answered(chunk, now)
            targets = self._targets(chunk)
            plan = splice(state.motion, request, targets, now, self.parameters, state.limits)
        except RefusedError as refusal:
            return self._refused(refusal.kind, refusal.detail)
        self._execute(plan, request, targets, now)
        state.chunk_id = chunk.chunk_id
        self._update_mode(now)
        return Decision(trajectory=self._message(plan.motion, now))

    def watch(self, now: float) -> Decision:
        """To be called regularly (20 Hz): notices input and chunks that did not come."""
        fault = self._advance(now)
        if fault is not None:
            return fault
        self._drop_overdue(now)
        self._update_mode(now)
        return Decision()

    def status(self, now: float) -> Status:
        """What is published about it."""
        return self.state.status(now, self.parameters.committed_frames)

    def _advance(self, now: float) -> Decision | None:
        """Take the new time; a step back is a fault, whose decision is returned."""
        state = self.state
        if not now < state.now - _CLOCK_TOLERANCE_S:
            state.now = max(state.now, now)
            return None
        before, moving = state.now, state.now < state.motion.end
        message = self._stop(before) if moving else None
        reason = f"the clock went back from {before:.3f} to {now:.3f} s"
        was_engaged = state.engaged
        rest = Motion.at_rest(now, state.motion.final_position)
        state.motion, state.now, state.committed_until = rest, now, None
        state.engaged, state.in_flight, state.frame = False, None, None
        state.last_requested = None
        if not (was_engaged or moving):
            return None
        state.mode = Mode.FAULT
        decision = self._refused("clock", reason)
        return Decision(trajectory=message, refusal=decision.refusal)

    def _request(self, frame: Frame, now: float) -> Request:
        state, parameters = self.state, self.parameters
        timeline = Timeline.of_frame(frame.index, frame.stamp, parameters.frame_period_s)
        count = parameters.committed_frames
        times = [timeline.time_of(frame.index + i) for i in range(count + 1)]
        positions = state.motion.sample(np.array(times))[0]
        state.request_id += 1
        request = Request(
            session=frame.session,
            request_id=state.request_id,
            frame_index=frame.index,
            stamp=frame.stamp,
            committed=positions[1:].astype(np.float32),
            anchor=positions[0],
        )
        state.in_flight, state.in_flight_since = request, now
        state.last_requested = frame.index
        return request

    def _answered(self, chunk: Chunk, now: float) -> Request:
        """The request that the chunk answers, no longer in flight."""
        request = self.state.in_flight
        if not self.state.engaged:
            raise RefusedError("not engaged", f"chunk {chunk.chunk_id}")
        answers = f"it answers request {chunk.request_id} of session {chunk.session}, "
        if request is None:
            raise RefusedError("unexpected chunk", answers + "none is open")
        if (request.session, request.request_id) != (chunk.session, chunk.request_id):
            raise RefusedError("unexpected chunk", f"{answers}open is {request.request_id}")
        self.state.in_flight = None
        blocked = self._blocked(now)
        if blocked:
            raise RefusedError("input not usable", blocked)
        if chunk.frame_index != request.frame_index:
            raise RefusedError(
                "unexpected chunk",
                f"it starts at frame {chunk.frame_index}, asked was {request.frame_index}",
            )
        return request

    def _targets(self, chunk: Chunk) -> np.ndarray:
        """The chunk's targets as float64 [H, J]."""
        if tuple(chunk.joint_names) != self.joint_names:
            unknown = [n for n in chunk.joint_names if n not in self.joint_names]
            missing = [n for n in self.joint_names if n not in chunk.joint_names]
            raise RefusedError(
                "wrong joints",
                f"unknown {unknown}, missing {missing}" if unknown or missing else "wrong order",
            )
        targets = np.asarray(chunk.targets, np.float64)
        expected = (self.parameters.horizon, len(self.joint_names))
        if targets.shape != expected:
            raise RefusedError("wrong shape", f"targets are {targets.shape}, expected {expected}")
        bad = ~np.isfinite(targets)
        if bad.any():
            frame, joint = np.argwhere(bad)[0]
            raise RefusedError(
                "not finite",
                f"target {frame + 1} of {self.joint_names[joint]} is {targets[frame, joint]}",
            )
        return targets

    def _execute(self, plan: Splice, request: Request, targets: np.ndarray, now: float) -> None:
        state, old = self.state, self.state.motion
        if state.committed_until is not None:
            state.idle_before += max(0.0, now - state.committed_until)
        old_q, old_v, _ = old.sample(plan.start)
        new_q, new_v, _ = plan.motion.sample(plan.start)
        state.max_position_step = max(state.max_position_step, np.abs(new_q - old_q).max())
        state.max_velocity_step = max(state.max_velocity_step, np.abs(new_v - old_v).max())
        state.consistency = consistency(request.committed, targets)
        state.motion = plan.motion.since(now - MAX_OVERLAP_S)
        state.committed_until = plan.committed_until
        state.consumed_ticks += plan.consumed
        state.dropped_targets += plan.dropped
        state.smoothed += plan.smoothed
        state.predictions += 1
        state.latency.add(now - request.stamp)

    def _stop(self, now: float) -> Trajectory:
        """Make the executing motion a smooth stop; the message that tells the controllers."""
        state = self.state
        state.motion = stop(state.motion, now, self.parameters, state.limits)
        return self._message(state.motion, now)

    def _message(self, motion: Motion, now: float) -> Trajectory:
        """The waypoints from a moment ago on, stamped with absolute time.

        A controller that takes the message within the lead continues, whatever the delay, on the
        same motion that it is already playing: waypoints before its present are passed over. A
        first waypoint in the future would make it draw a bridge of its own from its last
        command, which costs the velocity of one period at every splice.
        """
        stamp = max(now - self.parameters.overlap_s, _LEAST_STAMP_S)
        first = stamp + 2 * self.parameters.controller_period_s
        times = np.concatenate([[first], motion.times[motion.times > first + _LEAST_STAMP_S]])
        positions, velocities, _ = motion.sample(times)
        velocities[-1] = 0.0
        points = tuple(
            TrajectoryPoint(positions=q, velocities=v, time_from_start=float(t - stamp))
            for t, q, v in zip(times, positions, velocities, strict=True)
        )
        return Trajectory(self.joint_names, points, stamp)

    def _drop_overdue(self, now: float) -> None:
        state = self.state
        if (
            state.in_flight is not None
            and now - state.in_flight_since > self.parameters.request_timeout_s
        ):
            self._refused(
                "no answer",
                f"request {state.in_flight.request_id} is dropped after "
                f"{now - state.in_flight_since:.1f} s",
            )
            state.in_flight = None

    def _blocked(self, now: float) -> str:
        """Why input is not usable now; empty if it is."""
        state, timeout = self.state, self.parameters.stale_timeout_s
        if now - state.frame_arrival > timeout:
            return f"no context frame for {now - state.frame_arrival:.1f} s"
        if state.joint_states_fault:
            return state.joint_states_fault
        if now - state.joint_states_arrival > timeout:
            return f"no joint states for {now - state.joint_states_arrival:.1f} s"
        return ""

    def _update_mode(self, now: float) -> None:
        state = self.state
        moving = now < state.motion.end
        if not state.engaged:
            if state.mode != Mode.FAULT:
                state.mode = Mode.STOPPING if moving else Mode.DISENGAGED
            return
        why = self._blocked(now)
        if not why and state.committed_until is not None and now > state.committed_until:
            why = "no chunk in time"
        if not why:
            if state.mode != Mode.ENGAGED:
                state.mode, state.reason = Mode.ENGAGED, ""
            return
        mode = Mode.STOPPING if moving else Mode.HOLDING
        if mode != state.mode:
            state.mode, state.reason = mode, why

    def _positions_fault(self, positions: np.ndarray) -> str:
        if positions.shape != (len(self.joint_names),):
            return f"joint states have {positions.shape} values, not {len(self.joint_names)}"
        bad = ~np.isfinite(positions)
        if bad.any():
            return f"joint states: {self.joint_names[int(np.argmax(bad))]} is not finite"
        return ""

    def _refused(self, kind: str, detail: str) -> Decision:
        self.state.refusals[kind] += 1
        self.state.reason = f"{kind}: {detail}"
        return Decision(refusal=self.state.reason)

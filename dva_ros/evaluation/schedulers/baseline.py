"""What the baselines share: one request at a time, bookkeeping, and the message to the controller.

The baselines are as the literature has them: a chunk must be finite and of the right shape, but no
joint limit is enforced, nothing is blended and no braking tail is added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ...context.grid import TOLERANCE_S, TimeGrid
from ...leapfrog.messages import Chunk, Decision, Frame, Mode, RefusedError, Request
from ...leapfrog.motion import Motion
from ...leapfrog.parameters import LeapfrogParameters
from ...trajectory import Trajectory, TrajectoryPoint

_LEAST_STAMP_S = 0.001


@dataclass
class BaselineState:
    """Everything a baseline remembers.

    Attributes:
        motion: what it has made the controller play.
        mode: ENGAGED, or HOLDING while nothing is committed.
        in_flight: the request that awaits its answer.
        last_requested: frame of the newest request, or None.
        committed_until: end of `motion`, s; None before the first chunk.
        idle_before: idle time up to the newest chunk, s.
        request_id: newest request.
        predictions, consumed_ticks, refusals: see `interface.SchedulerState`.
    """

    motion: Motion
    mode: Mode = Mode.DISENGAGED
    in_flight: Request | None = None
    last_requested: int | None = None
    committed_until: float | None = None
    idle_before: float = 0.0
    request_id: int = 0
    predictions: int = 0
    consumed_ticks: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    def idle_s(self, now: float) -> float:
        """Time idle since the first chunk."""
        if self.committed_until is None:
            return 0.0
        return self.idle_before + max(0.0, now - self.committed_until)

    def waited(self, frame: Frame) -> int | None:
        """Frames since the newest request; None before the first."""
        return None if self.last_requested is None else frame.index - self.last_requested

    def is_due(self, frame: Frame, parameters: LeapfrogParameters) -> bool:
        """Whether `execution_horizon` have passed since the newest request."""
        waited = self.waited(frame)
        return waited is None or waited >= parameters.execution_horizon


@dataclass(frozen=True)
class Question:
    """What a request carries.

    Attributes:
        committed: float32 [d, J], targets for the next d frames that will be executed.
        guidance: see `Request.guidance`.
    """

    committed: np.ndarray
    guidance: np.ndarray | None = None


def uncommitted(state: BaselineState) -> Question:
    """A question that says nothing about what will be executed."""
    return Question(np.zeros((0, state.motion.positions.shape[1]), np.float32))


@dataclass(frozen=True)
class Arrival:
    """An answer as it arrives.

    Attributes:
        request: that it answers.
        targets: float64 [H, J].
        now: time of its arrival, s.
        period_s: between two targets.
    """

    request: Request
    targets: np.ndarray
    now: float
    period_s: float

    @property
    def grid(self) -> TimeGrid:
        """Of the request's frames."""
        return TimeGrid.of_frame(self.request.frame_index, self.request.stamp, self.period_s)


class Rule(Protocol):
    """What makes one baseline differ from another."""

    def ask(
        self, frame: Frame, state: BaselineState, parameters: LeapfrogParameters
    ) -> Question | None:
        """Called for a frame while no answer is awaited: what to ask; None to wait."""

    def answer(self, arrived: Arrival, state: BaselineState) -> Motion:
        """The motion that replaces `state.motion`.

        Its last knot is the last target. Raises RefusedError where nothing is left to execute.
        """


class Baseline:
    """A scheduler (see `interface.Scheduler`) that follows a rule."""

    def __init__(
        self, parameters: LeapfrogParameters, joint_names: Sequence[str], rule: Rule
    ) -> None:
        self.parameters = parameters
        self.joint_names = tuple(joint_names)
        self.state = BaselineState(Motion.at_rest(0.0, np.zeros(len(self.joint_names))))
        self._rule = rule

    def engage(self, now: float, commanded: np.ndarray) -> Decision:
        """Begin, at rest at the commanded positions [J]."""
        self.state = BaselineState(Motion.at_rest(now, commanded), mode=Mode.ENGAGED)
        return Decision()

    def on_frame(self, frame: Frame, now: float) -> Decision:
        """Ask if the rule wants to and no answer is awaited."""
        state = self.state
        if state.in_flight is not None:
            return Decision()
        question = self._rule.ask(frame, state, self.parameters)
        if question is None:
            return Decision()
        state.request_id += 1
        state.last_requested = frame.index
        state.in_flight = Request(
            session=frame.session,
            request_id=state.request_id,
            frame_index=frame.index,
            stamp=frame.stamp,
            committed=question.committed,
            anchor=state.motion.sample(frame.stamp)[0],
            guidance=question.guidance,
        )
        return Decision(request=state.in_flight)

    def on_joint_states(self, now: float, positions: np.ndarray) -> Decision:
        """Nothing depends on what is measured."""
        return Decision()

    def accept(self, chunk: Chunk, now: float) -> Decision:
        """Replace the executing motion as the rule has it."""
        state, request = self.state, self.state.in_flight
        state.in_flight = None
        try:
            if request is None or request.request_id != chunk.request_id:
                raise RefusedError("unexpected chunk", f"it answers request {chunk.request_id}")
            period_s = self.parameters.frame_period_s
            arrived = Arrival(request, self._targets(chunk), now, period_s)
            motion = self._rule.answer(arrived, state)
        except RefusedError as refusal:
            state.refusals[refusal.kind] += 1
            return Decision(refusal=str(refusal))
        state.idle_before = state.idle_s(now)
        state.motion, state.committed_until = motion, motion.end
        state.predictions += 1
        return Decision(trajectory=self._message(motion))

    def watch(self, now: float) -> Decision:
        """Keep the mode up to date."""
        state = self.state
        holding = state.committed_until is not None and now > state.committed_until
        state.mode = Mode.HOLDING if holding else Mode.ENGAGED
        return Decision()

    def _targets(self, chunk: Chunk) -> np.ndarray:
        targets = np.asarray(chunk.targets, np.float64)
        expected = (self.parameters.horizon, len(self.joint_names))
        if chunk.joint_names != self.joint_names or targets.shape != expected:
            raise RefusedError("wrong shape", f"targets are {targets.shape}, expected {expected}")
        if not np.isfinite(targets).all():
            raise RefusedError("not finite", "a target is not finite")
        return targets

    def _message(self, motion: Motion) -> Trajectory:
        """All waypoints with their own times; behind the last the robot holds, as it must."""
        stamp = max(motion.start, _LEAST_STAMP_S)
        kept = motion.times >= stamp
        points = [
            TrajectoryPoint(positions=q, velocities=v, time_from_start=float(t - stamp))
            for t, q, v in zip(
                motion.times[kept], motion.positions[kept], motion.velocities[kept], strict=True
            )
        ]
        if motion.velocities[-1].any():
            held = points[-1].time_from_start + self.parameters.controller_period_s
            rest = np.zeros(len(self.joint_names))
            points.append(
                TrajectoryPoint(motion.final_position, time_from_start=held, velocities=rest)
            )
        return Trajectory(self.joint_names, tuple(points), stamp)


def next_tick(grid: TimeGrid, now: float) -> int:
    """Index of the first frame time that is not before `now`."""
    return grid.first_after(now - 2 * TOLERANCE_S)


def require_ahead(grid: TimeGrid, last: int, now: float) -> None:
    """Refuse a chunk whose last target, for frame `last`, is past."""
    if grid.first_after(now) > last:
        past_s = now - grid.time(last)
        raise RefusedError("late chunk", f"its last target was {past_s:.3f} s ago")

"""The whole state of the scheduler in one inspectable object."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from .chunk_consistency import consistency
from .latency_budget import LatencyBudget
from .limits import JointLimits
from .messages import Frame, Mode, Request, Status
from .motion import Motion
from .parameters import MAX_OVERLAP_S
from .splice import Splice
from .tracking_error import TrackingError


@dataclass(frozen=True)
class Proposal:
    """A chunk that waits for an operator's approval.

    Attributes:
        chunk_id: of the chunk.
        request: that it answers.
        targets: float64 [H, J].
    """

    chunk_id: int
    request: Request
    targets: np.ndarray


@dataclass
class SchedulerState:
    """Everything the scheduler remembers. Counters are since engagement.

    Attributes:
        motion: what the controllers are playing, braking tail included; the past 0.5 s is kept.
        budget: latency measured, and what follows from it; outlives an engagement.
        limits: of the joints; a joint engaged slightly outside its range has that included.
        mode: see `Mode`.
        reason: of the last change of mode or refusal; empty if none.
        engaged: motion is wanted (also while input is stale).
        held: why motion waits for `resume`; empty if it does not.
        taken_over: until when the robot is being brought to rest from another sender's motion, s.
        proposal: what waits for approval, or None.
        now: latest time seen, s.
        frame: newest context frame, or None.
        frame_arrival: when it arrived (or engagement), s.
        joint_states_arrival: when the last usable joint states arrived (or engagement), s.
        joint_states_fault: why the last joint states were not usable; empty if they were.
        in_flight: the request that awaits its answer.
        in_flight_since: when it was made, s.
        last_requested: frame of the newest request in this session, or None.
        request_id: newest request.
        chunk_id: newest chunk executed.
        committed_until: time of the last target that is executing, s; None before the first.
        idle_before: idle time up to the newest splice, s.
        predictions: chunks executed.
        smoothed: of those, how many were smoothed to keep the limits.
        consumed_ticks: targets that were past when their chunk arrived.
        dropped_targets: targets beyond those that execute that could not be followed.
        refusals: kind -> count.
        tracking: measured against commanded positions.
        reference: what the controller says it commands against what it was sent.
        prediction_error: distance of the newest frame from its prediction, a score.
        consistency: of the newest chunk, see `chunk_consistency.py`.
        max_position_step: greatest between the old and the new motion where they meet; rad or m.
        max_velocity_step: as above, per second.
    """

    motion: Motion
    limits: JointLimits
    budget: LatencyBudget
    mode: Mode = Mode.DISENGAGED
    reason: str = ""
    engaged: bool = False
    held: str = ""
    taken_over: float = float("-inf")
    proposal: Proposal | None = None
    now: float = float("-inf")
    frame: Frame | None = None
    frame_arrival: float = float("-inf")
    joint_states_arrival: float = float("-inf")
    joint_states_fault: str = ""
    in_flight: Request | None = None
    in_flight_since: float = float("-inf")
    last_requested: int | None = None
    request_id: int = 0
    chunk_id: int = 0
    committed_until: float | None = None
    idle_before: float = 0.0
    predictions: int = 0
    smoothed: int = 0
    consumed_ticks: int = 0
    dropped_targets: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    tracking: TrackingError = field(default_factory=TrackingError.of_measured)
    reference: TrackingError = field(default_factory=TrackingError.of_commanded)
    prediction_error: float = 0.0
    consistency: float = 0.0
    max_position_step: float = 0.0
    max_velocity_step: float = 0.0

    def idle_s(self, now: float) -> float:
        """Time idle since the first chunk; a braking tail counts."""
        if self.committed_until is None:
            return 0.0
        running = max(0.0, now - self.committed_until) if self.engaged else 0.0
        return self.idle_before + running

    def execute(self, plan: Splice, proposal: Proposal, now: float) -> None:
        """A chunk has become motion."""
        if self.committed_until is not None:
            self.idle_before += max(0.0, now - self.committed_until)
        old_q, old_v, _ = self.motion.sample(plan.start)
        new_q, new_v, _ = plan.motion.sample(plan.start)
        self.max_position_step = max(self.max_position_step, np.abs(new_q - old_q).max())
        self.max_velocity_step = max(self.max_velocity_step, np.abs(new_v - old_v).max())
        self.consistency = consistency(proposal.request.committed, proposal.targets)
        self.motion = plan.motion.since(now - MAX_OVERLAP_S)
        self.committed_until = plan.committed_until
        self.consumed_ticks += plan.consumed
        self.dropped_targets += plan.dropped
        self.smoothed += plan.smoothed
        self.predictions += 1
        self.chunk_id = proposal.chunk_id

    def status(self, now: float) -> Status:
        """What is published."""
        until, latency = self.committed_until, self.budget.latency
        return Status(
            mode=self.mode,
            reason=self.reason,
            session=self.frame.session if self.frame else 0,
            frame_index=self.frame.index if self.frame else -1,
            request_id=self.request_id,
            chunk_id=self.chunk_id,
            committed_frames=self.budget.committed_frames,
            committed_until_s=0.0 if until is None else max(0.0, until - now),
            latency_p50_s=latency.percentile(50),
            latency_p99_s=latency.percentile(99),
            last_latency_s=latency.last,
            predictions=self.predictions,
            refusals=self.refusals.total(),
            idle_s=self.idle_s(now),
            consistency_rad=self.consistency,
            max_position_step_rad=self.max_position_step,
            max_velocity_step_rad_s=self.max_velocity_step,
            consumed_ticks=self.consumed_ticks,
            dropped_targets=self.dropped_targets,
            smoothed=self.smoothed,
            num_steps=self.budget.num_steps,
            tracking_error_rad=self.tracking.distance,
            prediction_error=self.prediction_error,
            approval_wanted=self.proposal is not None,
        )

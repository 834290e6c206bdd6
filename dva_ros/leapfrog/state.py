"""The whole state of the scheduler in one inspectable object."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .latency import LatencyTracker
from .limits import JointLimits
from .messages import Frame, Mode, Request, Status
from .motion import Motion


@dataclass
class LeapfrogState:
    """Everything the scheduler remembers. Counters are since engagement.

    Attributes:
        motion: what the controllers are playing, braking tail included; the past 0.5 s is kept.
        limits: of the joints; a joint engaged slightly outside its range has that included.
        mode: see `Mode`.
        reason: of the last change of mode or refusal; empty if none.
        engaged: motion is wanted (also while input is stale).
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
        idle_before: time without committed motion up to the newest splice, s.
        predictions: chunks executed.
        smoothed: of those, how many were smoothed to keep the limits.
        consumed_ticks: targets that were past when their chunk arrived.
        dropped_targets: targets beyond those that execute that could not be followed.
        refusals: kind -> count.
        latency: camera stamp to command sent.
        consistency: of the newest chunk, see `consistency.py`.
        max_position_step: greatest between the old and the new motion where they meet; rad or m.
        max_velocity_step: as above, per second.
    """

    motion: Motion
    limits: JointLimits
    mode: Mode = Mode.DISENGAGED
    reason: str = ""
    engaged: bool = False
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
    latency: LatencyTracker = field(default_factory=LatencyTracker)
    consistency: float = 0.0
    max_position_step: float = 0.0
    max_velocity_step: float = 0.0

    def idle_s(self, now: float) -> float:
        """Time without committed motion since the first chunk; a braking tail counts."""
        if self.committed_until is None:
            return 0.0
        running = max(0.0, now - self.committed_until) if self.engaged else 0.0
        return self.idle_before + running

    def status(self, now: float, committed_frames: int) -> Status:
        """What is published."""
        until = self.committed_until
        return Status(
            mode=self.mode,
            reason=self.reason,
            session=self.frame.session if self.frame else 0,
            frame_index=self.frame.index if self.frame else -1,
            request_id=self.request_id,
            chunk_id=self.chunk_id,
            committed_frames=committed_frames,
            committed_until_s=0.0 if until is None else max(0.0, until - now),
            latency_p50_s=self.latency.percentile(50),
            latency_p99_s=self.latency.percentile(99),
            last_latency_s=self.latency.last,
            predictions=self.predictions,
            refusals=self.refusals.total(),
            idle_s=self.idle_s(now),
            consistency_rad=self.consistency,
            max_position_step_rad=self.max_position_step,
            max_velocity_step_rad_s=self.max_velocity_step,
        )

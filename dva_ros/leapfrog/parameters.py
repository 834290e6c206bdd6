"""Timing of the scheduler."""

from __future__ import annotations

from dataclasses import dataclass, replace

MAX_OVERLAP_S = 0.5


@dataclass(frozen=True)
class LeapfrogParameters:
    """Timing of the scheduler; a value that makes no sense raises ValueError naming it.

    Attributes:
        frame_period_s: period of the time grid.
        horizon: H, targets in a chunk.
        inference_delay_frames: least d, frames that keep executing while a chunk is made; d frame
            periods cover the latency from a camera's stamp to the chunk.
        max_inference_delay_frames: greatest d; 0: half of the horizon. Below it d follows
            the latency.
        execution_horizon: frames between requests.
        controller_period_s: between updates of a joint_trajectory_controller.
        lead_s: from sending a message to where its motion leaves the executing one; at least
            two controller periods. A message that reaches the controller within this time
            changes the motion without a step.
        overlap_s: how much of the past motion a message repeats; covers clocks that differ.
        blend_s: time over which disagreement at a splice is blended out.
        smoothing_s: what targets do within less than about this time is smoothed away.
        stale_timeout_s: without a context frame or joint states for this long, input is stale.
        controller_timeout_s: a controller silent for this long is taken for inactive: a stop, and
            nothing more until it is engaged again. A busy simulator is silent, too.
        request_timeout_s: a request without answer is given up after this long.
        cold_start: first chunks whose latency does not count.
        num_steps: denoising steps to ask for; 0: the predictor's own.
        least_steps: steps are reduced down to this many where latency exceeds the greatest d.
        max_prediction_error: greatest prediction error score, beyond it motion is held; 0: never.
        single_step: every predicted clip waits at rest for an operator's approval.
    """

    frame_period_s: float = 0.1
    horizon: int = 8
    inference_delay_frames: int = 3
    max_inference_delay_frames: int = 0
    execution_horizon: int = 3
    controller_period_s: float = 0.01
    lead_s: float = 0.08
    overlap_s: float = 0.05
    blend_s: float = 0.3
    smoothing_s: float = 0.03
    stale_timeout_s: float = 0.3
    controller_timeout_s: float = 1.0
    request_timeout_s: float = 2.0
    cold_start: int = 2
    num_steps: int = 0
    least_steps: int = 1
    max_prediction_error: float = 0.0
    single_step: bool = False

    @property
    def greatest_committed(self) -> int:
        """The greatest d: H >= 2 d, and motion lasts until the next chunk."""
        greatest = self.max_inference_delay_frames or self.horizon // 2
        room = self.horizon - self.execution_horizon
        return max(self.inference_delay_frames, min(greatest, room))

    @property
    def knot_period_s(self) -> float:
        """Of the grid on which all motion has its knots: a quarter of a frame."""
        return self.frame_period_s / 4

    def slowed(self, time_scaling: float) -> LeapfrogParameters:
        """For a grid that is slower by `time_scaling`, within 0 (excluded) and 1.

        The same latency is fewer frames then. Input is stale as much later as the next frame
        comes later. Everything that is the joints' and the wire's stays.
        """
        period = self.frame_period_s / time_scaling
        timeout = self.stale_timeout_s + period - self.frame_period_s
        return replace(self, frame_period_s=period, stale_timeout_s=timeout)

    def __post_init__(self) -> None:
        for name in (
            "frame_period_s",
            "controller_period_s",
            "blend_s",
            "smoothing_s",
            "stale_timeout_s",
            "controller_timeout_s",
            "request_timeout_s",
            "execution_horizon",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be greater than 0, got {getattr(self, name)}")
        if self.lead_s < 2 * self.controller_period_s:
            raise ValueError(
                f"lead_s must be at least two controller periods "
                f"({2 * self.controller_period_s} s), got {self.lead_s}"
            )
        if not 2 * self.controller_period_s <= self.overlap_s <= MAX_OVERLAP_S:
            raise ValueError(
                f"overlap_s must lie within two controller periods and {MAX_OVERLAP_S} s, "
                f"got {self.overlap_s}"
            )
        if not 0 <= self.inference_delay_frames <= self.horizon // 2:
            raise ValueError(
                f"inference_delay_frames must lie within 0 and half of horizon "
                f"({self.horizon // 2}), got {self.inference_delay_frames}"
            )
        if not 0 <= self.max_inference_delay_frames <= self.horizon // 2:
            raise ValueError(
                f"max_inference_delay_frames must lie within 0 and half of horizon "
                f"({self.horizon // 2}), got {self.max_inference_delay_frames}"
            )
        if self.inference_delay_frames + self.execution_horizon > self.horizon:
            raise ValueError(
                f"inference_delay_frames + execution_horizon ({self.inference_delay_frames} + "
                f"{self.execution_horizon}) must not exceed horizon ({self.horizon}): motion "
                "would run out before the next chunk"
            )

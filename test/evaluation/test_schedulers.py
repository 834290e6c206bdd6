"""The schedulers that leapfrog is compared with: what defines each of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from dva_ros.cell.controller import (
    ControllerParameters,
    Generation,
    JointState,
    JointTrajectoryController,
)
from dva_ros.errors import UserError
from dva_ros.evaluation.metrics import CommandSteps
from dva_ros.evaluation.schedulers.chunking import soft_mask
from dva_ros.evaluation.schedulers.ensembling import DECAY, ensemble_weights
from dva_ros.evaluation.schedulers.interface import Scheduler
from dva_ros.evaluation.schedulers.registry import SCHEDULERS, make_scheduler
from dva_ros.evaluation.schedulers.timing import scheduler_timing, timing_for
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.leapfrog.messages import Chunk, Frame, RefusedError, Request
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

NAMES = EMBEDDED_CELL.joint_names
LIMITS = JointLimits.load(config_path("joint_limits"), NAMES)
HOME = np.where([name.endswith("gripper") for name in NAMES], 0.025, 0.2)
BASE = LeapfrogParameters()
TICK_S, PERIOD_S, HORIZON = 0.01, 0.1, 8


def cruise(frame: int, offset: float = 0.0) -> np.ndarray:
    """Targets [8, J] for the frames after `frame` on one line at 0.3 rad/s, `offset` beside it."""
    times = PERIOD_S * (frame + 1 + np.arange(HORIZON))
    targets = np.tile(HOME, (HORIZON, 1))
    targets[:, 0] += 0.3 * times + offset
    return targets


@dataclass
class Run:
    """Plays a scheduler and the emulated controller at 100 Hz and records every command.

    Attributes:
        name: of the scheduler.
        latency_s: of every answer.
        offsets: of the answers from `cruise`, one after the other, repeated.
    """

    name: str
    latency_s: float
    offsets: tuple[float, ...] = (0.0,)
    requests: list[Request] = field(default_factory=list)
    commands: list[np.ndarray] = field(default_factory=list)

    def play(self, seconds: float) -> Run:
        parameters = scheduler_timing(self.name, BASE, self.latency_s, 0.0)
        self.scheduler: Scheduler = make_scheduler(self.name, parameters, LIMITS, NAMES)
        self.scheduler.engage(0.0, HOME)
        controller = JointTrajectoryController(
            NAMES, Generation.JAZZY, ControllerParameters(interpolate_from_desired_state=True)
        )
        self.steps = CommandSteps(LIMITS, TICK_S)
        position, waiting = HOME, None
        for tick in range(round(seconds / TICK_S)):
            now = tick * TICK_S
            decisions = []
            if waiting is not None and now >= waiting[0] - 1e-9:
                decisions.append(self.scheduler.accept(waiting[1], now))
                waiting = None
            if tick % 10 == 0:
                decisions.append(self.scheduler.on_frame(Frame(1, tick // 10, now), now))
            decisions += [self.scheduler.on_joint_states(now, position), self.scheduler.watch(now)]
            for decision in decisions:
                if decision.trajectory is not None:
                    assert controller.submit(decision.trajectory, now) is None
                if decision.request is not None:
                    waiting = (now + self.latency_s, self._answer(decision.request))
            position = controller.update(now, JointState(position, np.zeros(len(NAMES))))
            self.commands.append(position.copy())
            self.steps.add(position)
        return self

    def waist(self) -> np.ndarray:
        """Commands of the joint that moves."""
        return np.stack(self.commands)[:, 0]

    def _answer(self, request: Request) -> Chunk:
        offset = self.offsets[len(self.requests) % len(self.offsets)]
        self.requests.append(request)
        targets = cruise(request.frame_index, offset)
        ids = (request.session, request.request_id, request.request_id, request.frame_index)
        return Chunk(*ids, NAMES, targets)


def test_synchronous_rests_for_the_latency_in_every_cycle() -> None:
    """Request at rest, chunk of 0.8 s, rest: the next frame comes 0 to 0.1 s after its end."""
    run = Run("synchronous", 0.25).play(4.0)
    stamps = np.array([request.stamp for request in run.requests])
    arrivals = stamps[:-1] + 0.25
    ends = arrivals + HORIZON * PERIOD_S
    assert len(stamps) == 4
    assert (stamps[1:] >= ends - 1e-6).all()
    assert (stamps[1:] < ends + PERIOD_S).all()
    for stamp in stamps:
        tick = round(stamp / TICK_S)
        assert np.ptp(run.waist()[tick : tick + 25]) < 1e-9
    assert run.scheduler.state.idle_s(4.0) >= 2 * 0.25
    assert all(len(request.committed) == 0 for request in run.requests)


def test_naive_replacement_is_on_the_new_chunk_at_the_next_update() -> None:
    """Chunks 0.05 rad apart: the whole distance is a position step, at the arrival, and the
    targets that were past are skipped."""
    run = Run("naive", 0.2, offsets=(0.0, 0.05)).play(2.0)
    change = np.diff(run.waist())
    arrivals = [round((request.stamp + 0.2) / TICK_S) for request in run.requests[2:6]]
    jumps = [change[tick - 1] for tick in arrivals]
    np.testing.assert_allclose(np.abs(jumps), 0.05, atol=0.01)
    assert run.steps.position_step_rad > 0.04
    assert run.steps.velocity_ratio > 10
    line = HOME[0] + 0.3 * np.arange(200) * TICK_S
    after_second = slice(round(0.52 / TICK_S), round(0.6 / TICK_S))
    beside = run.waist()[after_second] - line[after_second]
    np.testing.assert_allclose(beside, 0.05, atol=0.004)
    assert run.scheduler.state.consumed_ticks > 0


def test_leapfrog_has_no_step_where_naive_replacement_has_one() -> None:
    """The same disagreeing chunks."""
    run = Run("leapfrog", 0.2, offsets=(0.0, 0.05)).play(2.0)
    assert run.steps.position_step_rad < 1e-6
    assert run.steps.velocity_ratio <= 1.005
    naive = Run("naive", 0.2, offsets=(0.0, 0.05)).play(2.0)
    assert run.steps.rms_jerk_rad_s3 < 0.5 * naive.steps.rms_jerk_rad_s3


def test_chunks_that_agree_are_smooth_under_every_overlapping_scheduler() -> None:
    """No scheduler is made worse than it is: disagreement is what hurts, not the switch."""
    for name in SCHEDULERS:
        if name == "synchronous":
            continue
        run = Run(name, 0.2).play(2.0)
        # Until 1.2 s the first chunk counts, which began when it arrived.
        velocity = np.diff(run.waist()[120:]) / TICK_S
        np.testing.assert_allclose(velocity, 0.3, atol=0.02, err_msg=name)
        assert run.scheduler.state.idle_s(2.0) == pytest.approx(0.0, abs=1e-9), name


def test_ensemble_weights_are_those_of_act() -> None:
    """exp(-m i), the oldest first, m = 0.01."""
    weights = ensemble_weights(3)
    np.testing.assert_allclose(weights[1:] / weights[:-1], np.exp(-DECAY))
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] == weights.max()


def test_ensembling_executes_the_weighted_mean_of_all_chunks_for_a_tick() -> None:
    """Opinions 0 and 0.06 in turn, a new one every 0.2 s."""
    run = Run("temporal_ensembling", 0.2, offsets=(0.0, 0.06)).play(3.0)
    line = HOME[0] + 0.3 * np.arange(300) * TICK_S
    # Frame 15: chunks of frames 8 (0), 10 (0.06) and 12 (0) have arrived by then.
    expected = ensemble_weights(3) @ np.array([0.0, 0.06, 0.0])
    assert (run.waist() - line)[149] == pytest.approx(expected, abs=0.004)
    naive = Run("naive", 0.2, offsets=(0.0, 0.06)).play(3.0)
    assert run.steps.velocity_step_rad_s < 0.5 * naive.steps.velocity_step_rad_s


@pytest.mark.parametrize("frozen, shift", [(2, 3), (0, 3), (4, 4), (3, 5)])
def test_the_soft_mask_is_that_of_the_paper(frozen: int, shift: int) -> None:
    """Equation 5 of arXiv 2506.07339, written out frame by frame."""
    expected = []
    for i in range(HORIZON):
        c = (HORIZON - shift - i) / (HORIZON - shift - frozen + 1)
        if i < frozen:
            expected.append(1.0)
        elif i < HORIZON - shift:
            expected.append(c * (np.exp(c) - 1) / (np.e - 1))
        else:
            expected.append(0.0)
    mask = soft_mask(HORIZON, frozen, shift)
    np.testing.assert_allclose(mask, expected, atol=1e-6)
    assert (np.diff(mask) <= 0).all()


def test_real_time_chunking_freezes_the_committed_motion_and_asks_for_guidance() -> None:
    """Every request but the first carries the mask; the first d targets of an answer are not
    followed, so that a disagreement steps the motion behind them only."""
    run = Run("real_time_chunking", 0.2, offsets=(0.0, 0.05)).play(1.0)
    first, second = run.requests[:2]
    assert first.guidance is None
    np.testing.assert_array_equal(second.guidance, soft_mask(HORIZON, 2, 3))
    assert second.committed.shape == (2, len(NAMES))
    # The second request is of frame 3: frames 4 and 5 are frozen, 0.05 rad are caught up after.
    np.testing.assert_allclose(run.waist()[[39, 49]], second.committed[:, 0], atol=1e-6)
    line = HOME[0] + 0.3 * np.arange(100) * TICK_S
    assert run.waist()[60] - line[60] == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_nothing_that_is_not_finite_is_ever_sent(name: str) -> None:
    """The one check that all have in common: the chunk is refused and counted."""
    run = Run(name, 0.1, offsets=(0.0, np.nan)).play(2.0)
    assert np.isfinite(np.stack(run.commands)).all()
    assert run.scheduler.state.refusals["not finite"] >= 1


@pytest.mark.parametrize("name", ["naive", "temporal_ensembling"])
def test_a_chunk_whose_targets_are_all_past_is_refused(name: str) -> None:
    """0.8 s of targets after 0.8 s of latency; the first chunk, with which all begins, is not."""
    run = Run(name, 0.8).play(3.0)
    assert run.scheduler.state.predictions == 1
    assert run.scheduler.state.refusals["late chunk"] >= 1


def test_timing_covers_the_latency_and_refuses_what_the_horizon_cannot() -> None:
    """d frames cover the latency, H >= 2d; 400 ms are the most that 8 frames of 0.1 s cover."""
    timings = {ms: timing_for(BASE, ms / 1e3) for ms in (0, 100, 250, 400)}
    assert {ms: t.inference_delay_frames for ms, t in timings.items()} == {
        0: 1,
        100: 1,
        250: 3,
        400: 4,
    }
    assert timings[250] == BASE
    assert timings[400].execution_horizon == 4
    with pytest.raises(RefusedError, match="H = 8 < 2d = 10"):
        timing_for(BASE, 0.41)


def test_jitter_counts_at_its_99th_percentile_and_only_where_motion_is_committed() -> None:
    """250 ms with 30 ms of deviation are 320 ms: 4 frames; naive replacement commits none."""
    assert scheduler_timing("leapfrog", BASE, 0.25, 0.03).inference_delay_frames == 4
    assert scheduler_timing("naive", BASE, 0.8, 0.03) == BASE


def test_an_unknown_scheduler_is_a_user_error() -> None:
    """The message lists those there are."""
    with pytest.raises(UserError, match="temporal_ensembling"):
        make_scheduler("clairvoyant", BASE, LIMITS, NAMES)

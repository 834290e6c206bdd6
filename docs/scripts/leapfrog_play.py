"""Plays the scheduler against the emulated controller and keeps what happens, for the plots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from dva_ros.cell.controller import ControllerParameters, JointState, JointTrajectoryController
from dva_ros.cell.controller.generation import Generation
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.leapfrog.messages import Chunk, Decision, Frame, Mode, Request
from dva_ros.leapfrog.motion import Motion
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.scheduler import Leapfrog
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

NAMES = EMBEDDED_CELL.joint_names
LIMITS = JointLimits.load(config_path("joint_limits"), NAMES)
PARAMETERS = LeapfrogParameters(inference_delay_frames=2, execution_horizon=2)
"""As in `config/cell.yaml`."""
PERIOD_S = PARAMETERS.controller_period_s
FRAME_S = PARAMETERS.frame_period_s
HOME = np.where([name.endswith("gripper") for name in NAMES], 0.025, 0.0)


@dataclass(frozen=True)
class Answered:
    """A request and what became of its answer.

    Attributes:
        request: that was made.
        made: when, s.
        arrival: of the chunk, s.
        targets: float64 [H] of the joint that moves.
        refusal: why it did not become motion; empty if it did.
        start: where the motion before it is left, s.
        committed_until: time of its last target, s.
        end: of its braking tail, s.
    """

    request: Request
    made: float
    arrival: float
    targets: np.ndarray
    refusal: str
    start: float
    committed_until: float
    end: float

    @property
    def times(self) -> np.ndarray:
        """Of the targets, s."""
        return self.request.stamp + FRAME_S * np.arange(1, len(self.targets) + 1)


@dataclass
class Play:
    """One run of the first joint, the others stand.

    Attributes:
        path: position of the joint by time; what a chunk says.
        disturb: changes a chunk's targets [H] of the request with this number.
        latency_s: from a request to its chunk.
        frames_until: no frame comes after this time, s.
        answers_until: no chunk is made of requests after this time, s.
    """

    path: Callable[[np.ndarray], np.ndarray]
    disturb: Callable[[int, np.ndarray], np.ndarray] = lambda _, targets: targets
    latency_s: float = 0.12
    frames_until: float = float("inf")
    answers_until: float = float("inf")
    times: list[float] = field(default_factory=list)
    commands: list[float] = field(default_factory=list)
    modes: list[Mode] = field(default_factory=list)
    reasons: list[tuple[float, str]] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    unanswered: list[tuple[Request, float]] = field(default_factory=list)

    def run(self, seconds: float) -> Play:
        """Play so long at the controller's rate."""
        self._leapfrog = Leapfrog(PARAMETERS, LIMITS, NAMES)
        self._controller = JointTrajectoryController(
            NAMES, Generation.JAZZY, ControllerParameters(interpolate_from_desired_state=True)
        )
        self._waiting: list[tuple[Request, float]] = []
        position = HOME.copy()
        self._leapfrog.engage(0.0, position)
        for tick in range(round(seconds / PERIOD_S)):
            now = tick * PERIOD_S
            for request, made in [w for w in self._waiting if now >= w[1] + self.latency_s - 1e-9]:
                self._waiting.remove((request, made))
                self._answer(request, made, now)
            if tick % round(FRAME_S / PERIOD_S) == 0 and now <= self.frames_until:
                index = round(now / FRAME_S)
                self._follow(self._leapfrog.on_frame(Frame(1, index, now), now), now)
            self._leapfrog.on_joint_states(now, position)
            self._follow(self._leapfrog.watch(now), now)
            measured = JointState(position, np.zeros(len(NAMES)))
            position = self._controller.update(now, measured).copy()
            self._record(now, float(position[0]))
        return self

    def derivative(self, order: int) -> tuple[np.ndarray, np.ndarray]:
        """Times and differences of the commands, per second to the order."""
        times = np.array(self.times)[order:] - order * PERIOD_S / 2
        return times, np.diff(np.array(self.commands), n=order) / PERIOD_S**order

    def _answer(self, request: Request, made: float, now: float) -> None:
        times = request.stamp + FRAME_S * np.arange(1, PARAMETERS.horizon + 1)
        moving = self.disturb(request.request_id, self.path(times))
        targets = np.tile(HOME, (len(times), 1))
        targets[:, 0] = moving
        before = self._leapfrog.state.motion
        number = request.request_id
        chunk = Chunk(1, number, number, request.frame_index, NAMES, targets)
        decision = self._leapfrog.accept(chunk, now)
        state = self._leapfrog.state
        start = _parting(before, state.motion) if not decision.refusal else now
        until = state.committed_until or now
        self.answered.append(
            Answered(request, made, now, moving, decision.refusal, start, until, state.motion.end)
        )
        self._follow(decision, now)

    def _follow(self, decision: Decision, now: float) -> None:
        if decision.trajectory is not None:
            refusal = self._controller.submit(decision.trajectory, now)
            assert refusal is None, refusal
        if decision.request is not None:
            if now > self.answers_until:
                self.unanswered.append((decision.request, now))
            else:
                self._waiting.append((decision.request, now))

    def _record(self, now: float, position: float) -> None:
        state = self._leapfrog.state
        self.times.append(now)
        self.commands.append(position)
        self.modes.append(state.mode)
        if state.reason and (not self.reasons or self.reasons[-1][1] != state.reason):
            self.reasons.append((now, state.reason))


def _parting(before: Motion, after: Motion) -> float:
    """The last moment up to which two motions are one."""
    times = np.arange(after.start, after.end, 0.001)
    apart = np.abs(before.sample(times)[0] - after.sample(times)[0]).max(axis=1) > 1e-9
    return float(times[max(int(np.argmax(apart)) - 1, 0)])

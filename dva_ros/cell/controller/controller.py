"""The emulated joint_trajectory_controller: position commands, spline interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from dva_ros.trajectory import Trajectory

from .generation import Generation
from .joint_order import JointOrder
from .message import NANOSECONDS, Message, Waypoint, frozen, to_nanoseconds
from .parameters import ControllerParameters
from .playback import Playback, Sample
from .splice import splice
from .state import ControllerState, JointState
from .upsampling import upsample_positions
from .validation import refusal

Interface = Literal["topic", "action"]

_FLOAT32_EPSILON_NS = float(np.finfo(np.float32).eps) * NANOSECONDS


class JointTrajectoryController:
    """Follows trajectories as joint_trajectory_controller of one version does.

    It starts active and holds the position measured in its first update. Times are seconds on
    the robot's clock and are rounded to nanoseconds.
    """

    def __init__(
        self,
        joint_names: Sequence[str],
        generation: Generation,
        parameters: ControllerParameters,
    ) -> None:
        self.joint_names = tuple(joint_names)
        self.generation = generation
        self.parameters = parameters
        self._order = JointOrder(self.joint_names)
        self._hold = Message(self.joint_names, [Waypoint(np.empty(0), None, None, 0)])
        self._command = frozen(np.full(len(self.joint_names), np.nan))
        self._now_ns = 0
        self.activate()

    def activate(self) -> None:
        """Start: the next update holds the last command, or the measured position at first."""
        self._active = True
        self._starting = True
        self._playback: Playback | None = None
        self._new: Message | None = None
        self._deferred: Message | None = None
        self._goal = False
        self._goal_deferred = False
        self._measured: Waypoint | None = None
        self._last_commanded = self._hold.points[0]
        self._last_commanded_ns = 0
        self._reference: Sample | None = None

    def deactivate(self) -> None:
        """Stop: the last command stays on the hardware, trajectories are forgotten."""
        self._active = False
        self._playback = None
        self._goal = False

    @property
    def active(self) -> bool:
        """False after `deactivate`."""
        return self._active

    @property
    def playback(self) -> Playback | None:
        """What is followed; another object whenever a trajectory is installed."""
        return self._playback

    def submit(
        self,
        trajectory: Trajectory,
        now: float,
        interface: Interface = "topic",
    ) -> str | None:
        """Hand over a trajectory; the next update takes it, the newest where there are several.

        Returns:
            None where it is accepted, else the reason of the refusal (which on the real topic is
            a log line). As on the real topic, a valid message to an inactive controller is
            dropped without a reason; an action goal is refused.

        Raises:
            ValueError: it cannot be a ROS message (a time that is not finite, say).
        """
        message = Message.of(trajectory)
        now_ns = to_nanoseconds(now)
        if interface == "action" and not self._active:
            return "can't accept new action goals, the controller is not running"
        if (
            interface == "topic"
            and self.generation.can_upsample_positions
            and self.parameters.positions_upsampling
        ):
            upsample_positions(message, self.parameters.policy_frequency)
        reason = refusal(message, now_ns, self.joint_names, self.parameters, self.generation)
        if reason is not None or not self._active:
            return reason
        self._new = message
        if interface == "action":
            self._goal = True
            self._goal_deferred = (
                self._may_defer and self._playback is not None and message.stamp_ns > now_ns
            )
        return None

    def update(self, now: float, measured: JointState) -> np.ndarray:
        """Advance to `now` and write a command.

        Args:
            now: s; the previous update's time plus one period.
            measured: in the controller's joint order.

        Returns:
            read-only float64 [joints]: the positions written, the last ones while inactive.

        Raises:
            ValueError: a configured state interface is missing or of another size.
        """
        if not self._active:
            return self._command
        time_ns = to_nanoseconds(now)
        state = self._read(measured)
        if self._starting:
            self._start(state)
        self._take_message(time_ns, state)
        self._measured = state
        self._now_ns = time_ns
        playback = self._playback
        assert playback is not None
        if not playback.begun:
            self._begin(playback, time_ns, state)
        reference = playback.reference(time_ns)
        if reference is not None:
            self._reference = reference
        setpoint = reference
        if self.generation.commands_one_period_ahead:
            setpoint = playback.setpoint(time_ns + self.parameters.period_ns)
        if setpoint is not None:
            self._command = setpoint.positions
            self._last_commanded = Waypoint(
                setpoint.positions, setpoint.velocities, setpoint.accelerations, 0
            )
            self._last_commanded_ns = time_ns
            if setpoint.ended and self._goal and not self._goal_deferred:
                self._succeed(playback.points[-1], state)
        return self._command

    @property
    def state(self) -> ControllerState | None:
        """The last update's; None before the first and while there is nothing to report."""
        if self._reference is None or self._measured is None or self._playback is None:
            return None
        reference, measured = self._reference, self._measured
        return ControllerState(
            time=self._now_ns / NANOSECONDS,
            reference=JointState(
                reference.positions, reference.velocities, reference.accelerations
            ),
            reference_time_from_start=(self._now_ns - self._playback.start_ns) / NANOSECONDS,
            feedback=JointState(measured.positions, measured.velocities, measured.accelerations),
            error=JointState(reference.positions - measured.positions),
            output=self._command,
        )

    @property
    def _may_defer(self) -> bool:
        return (
            self.generation.defers_future_stamps and self.parameters.allow_trajectory_replacement
        )

    def _read(self, measured: JointState) -> Waypoint:
        interfaces = self.parameters.state_interfaces
        positions = self._interface(measured.positions, "position")
        velocities = (
            self._interface(measured.velocities, "velocity") if "velocity" in interfaces else None
        )
        accelerations = (
            self._interface(measured.accelerations, "acceleration")
            if "acceleration" in interfaces
            else None
        )
        return Waypoint(positions, velocities, accelerations, 0)

    def _interface(self, values: np.ndarray | None, name: str) -> np.ndarray:
        if values is None:
            raise ValueError(f"the measured state has no {name}, but it is a state interface")
        copy = frozen(values)
        if copy.shape != (len(self.joint_names),):
            raise ValueError(
                f"the measured {name} must hold {len(self.joint_names)} joints, got {copy.shape}"
            )
        return copy

    def _start(self, state: Waypoint) -> None:
        """Hold what the hardware was last commanded to, else what is measured."""
        commanded = not np.isnan(self._command).any() and not (
            self.generation.is_first and "velocity" in self.parameters.state_interfaces
        )
        self._starting = False
        self._last_commanded = state._replace(positions=self._command) if commanded else state
        self._set_hold(self._last_commanded.positions)
        if self._new is None:
            self._new = self._hold

    def _set_hold(self, positions: np.ndarray) -> None:
        """Change the one hold message in place: velocities left by a reached goal stay in it."""
        self._hold.points = [self._hold.points[0]._replace(positions=positions)]

    def _succeed(self, last: Waypoint, state: Waypoint) -> None:
        """The goal is reached: repeat its last point, in 4.0.0 hold the measured position."""
        self._goal = False
        if self.generation.is_first:
            self._set_hold(state.positions)
        else:
            self._hold.points = [last._replace(time_ns=0)]
        self._new = self._hold

    def _begin(self, playback: Playback, time_ns: int, state: Waypoint) -> None:
        if not self.parameters.interpolate_from_desired_state:
            playback.begin(time_ns, state, time_ns)
        elif self.generation.is_first:
            playback.begin(time_ns, self._last_commanded, time_ns)
        else:
            if abs(self._last_commanded_ns) < _FLOAT32_EPSILON_NS:
                self._last_commanded_ns = time_ns
            playback.begin(time_ns, self._last_commanded, self._last_commanded_ns)

    def _take_message(self, time_ns: int, state: Waypoint) -> None:
        """Install the newest message where it is not the one that is already followed."""
        current = None if self._playback is None else self._playback.message
        install: Message | None = None
        new = self._new
        if new is not None and new is not current and new is not self._deferred:
            if self._may_defer and new is self._hold:
                install = new
            elif self._may_defer and self._playback is not None and new.stamp_ns > time_ns:
                self._deferred = new
            else:
                self._prepare(new, time_ns, state)
                install = new
                self._forget_deferred()
        if self._deferred is not None and time_ns >= self._deferred.stamp_ns:
            install = self._deferred
            self._prepare(install, time_ns, state)
            self._forget_deferred()
        if install is not None:
            self._playback = Playback(install, self.generation)

    def _forget_deferred(self) -> None:
        self._deferred = None
        self._goal_deferred = False

    def _prepare(self, message: Message, time_ns: int, state: Waypoint) -> None:
        """Fill in omitted joints and sort, by splicing where this generation splices."""
        running = self._playback
        held = np.where(np.isnan(self._command), state.positions, self._command)
        if (
            self.generation.splices
            and self.parameters.allow_trajectory_replacement
            and running is not None
            and len(running.points) > 1
            and message is not self._hold
        ):
            splice(message, running, self._order, self._now_ns, time_ns, held)
        else:
            self._order.fill_held(message, held)
            self._order.sort(message)

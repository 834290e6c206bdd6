"""The controllers that play the motion: who has which joint, who is there, how fast they run."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..trajectory import Trajectory, split
from .controller_setpoint import ControllerSetpoint
from .parameters import LeapfrogParameters

_LEAST_INTERVALS = 5
"""Between states, before their median is taken for the controller's rate."""
_RATE_TOLERANCE = 0.2
"""Of a controller period, by which the median may be away from a multiple of it."""


@dataclass
class _Controller:
    """What is known of one controller.

    Attributes:
        newest: its newest state, or None.
        arrival: when that arrived, s.
        silent_since: the same, later by what `watch` could not watch.
        fresh: it is newer than the last that all commanded together.
        intervals: between the stamps of its last states, s.
    """

    newest: ControllerSetpoint | None = None
    arrival: float = float("-inf")
    silent_since: float = float("-inf")
    fresh: bool = False
    intervals: deque[float] = field(default_factory=lambda: deque(maxlen=20))

    @property
    def period_s(self) -> float | None:
        """Between its states; None before there are enough."""
        if len(self.intervals) < _LEAST_INTERVALS:
            return None
        return float(np.median(self.intervals))


class Controllers:
    """Several controllers as if they were one; each tells its joints in its own state.

    `check` says before an engagement, `watch` during one, why motion may not be sent to them.
    """

    def __init__(
        self, names: Sequence[str], joint_names: Sequence[str], parameters: LeapfrogParameters
    ) -> None:
        """`joint_names` are all joints, in the order of every vector that comes from here."""
        self.names = tuple(names)
        self._joint_names = tuple(joint_names)
        self._timeout = parameters.controller_timeout_s
        self._period = parameters.controller_period_s
        self._controllers = {name: _Controller() for name in self.names}
        self._groups: tuple[tuple[str, ...], ...] = ()
        self._order = np.zeros(0, np.intp)
        self._mismatch = ""
        self._watched = float("inf")

    def heard(
        self, name: str, now: float, state: ControllerSetpoint
    ) -> tuple[float, np.ndarray] | None:
        """Take a controller's state.

        Returns:
            Once each of them has spoken anew: a time and what all command then, float64 [J].
        """
        controller = self._controllers[name]
        before, controller.newest, controller.fresh = controller.newest, state, True
        controller.arrival = controller.silent_since = now
        if before is not None and state.stamp > before.stamp:
            controller.intervals.append(state.stamp - before.stamp)
        if before is None or before.joint_names != state.joint_names:
            self._assign()
        everyone = self._controllers.values()
        if self._mismatch or not all(controller.fresh for controller in everyone):
            return None
        for controller in everyone:
            controller.fresh = False
        time = max(state.stamp for state in self._states())
        return time, self.commanded(time)[0]

    def check(self, now: float) -> str:
        """Why they cannot be engaged now; empty if they can."""
        return self._fault({name: now - one.arrival for name, one in self._controllers.items()})

    def watch(self, now: float) -> str:
        """Why an engagement must end now; empty if it need not. To be called regularly (20 Hz).

        Where this process could not call it for a while, states may wait to be heard: such a
        while counts as silence for half of the timeout at most.
        """
        away, self._watched = now - self._watched, now
        forgiven = max(0.0, away - self._timeout / 2)
        for one in self._controllers.values():
            one.silent_since = min(one.silent_since + forgiven, max(now, one.silent_since))
        return self._fault(
            {name: now - one.silent_since for name, one in self._controllers.items()}
        )

    def off_rate(self) -> dict[str, str]:
        """Controllers whose states do not come every controller period, and what that means."""
        periods = {name: one.period_s for name, one in self._controllers.items()}
        notes = {
            name: _off_rate(name, period, self._period)
            for name, period in periods.items()
            if period is not None
        }
        return {name: note for name, note in notes.items() if note}

    def periods_s(self) -> dict[str, float | None]:
        """Controller -> time between its states; None before it is known."""
        return {name: one.period_s for name, one in self._controllers.items()}

    def commanded(self, now: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions, velocities and accelerations commanded now, float64 [J].

        They must have been heard, and their joints must fit: `check` or `watch` was content.
        """
        each = zip(*(state.at(now) for state in self._states()), strict=True)
        q, v, a = (np.concatenate(values)[self._order] for values in each)
        return q, v, a

    def split(self, trajectory: Trajectory) -> dict[str, Trajectory]:
        """Every controller's part, by the joints that it had when they last fitted together."""
        return dict(zip(self.names, split(trajectory, self._groups), strict=True))

    def _fault(self, silent_s: Mapping[str, float]) -> str:
        for name, one in self._controllers.items():
            if one.newest is None:
                return f"no state of controller {name} has been heard; is it active?"
            silent = silent_s[name]
            if abs(silent) > self._timeout:
                return f"controller {name} has been silent for {silent:.1f} s; is it active?"
            if one.period_s is None:
                return f"controller {name}: too few states with new stamps to know its rate yet"
        return self._mismatch

    def _states(self) -> list[ControllerSetpoint]:
        return [one.newest for one in self._controllers.values() if one.newest is not None]

    def _assign(self) -> None:
        """Learn who has which joint, once all have been heard."""
        states = self._states()
        if len(states) < len(self.names):
            return
        groups = {name: state.joint_names for name, state in zip(self.names, states, strict=True)}
        self._mismatch = mismatch(groups, self._joint_names)
        if not self._mismatch:
            self._groups = tuple(groups.values())
            grouped = [joint for group in self._groups for joint in group]
            self._order = np.array([grouped.index(joint) for joint in self._joint_names])


def mismatch(groups: Mapping[str, Sequence[str]], joint_names: Sequence[str]) -> str:
    """Why the controllers' joints are not every joint exactly once; empty if they are."""
    owner: dict[str, str] = {}
    for name, joints in groups.items():
        for joint in joints:
            if joint not in joint_names:
                return f"controller {name} has joint {joint}, which the cell has not"
            if joint in owner:
                both = f"{owner[joint]} and {name}" if owner[joint] != name else f"{name} twice"
                return f"joint {joint} is in controller {both}"
            owner[joint] = name
    missing = [joint for joint in joint_names if joint not in owner]
    if missing:
        return f"no controller has {', '.join(missing)} (asked: {', '.join(groups)})"
    return ""


def _off_rate(name: str, period: float, expected: float) -> str:
    """How the time between states differs from the controller's period; empty if it does not."""
    ratio = period / expected
    multiple = max(1, round(ratio))
    if abs(ratio - multiple) > _RATE_TOLERANCE:
        return (
            f"controller {name} runs at another rate than controller_period_s says: its states "
            f"are {1e3 * period:.2f} ms apart, not {1e3 * expected:.2f} ms or a multiple of it"
        )
    if multiple > 1:
        return (
            f"controller {name} sends a state every {1e3 * period:.2f} ms, controller_period_s is "
            f"{1e3 * expected:.2f} ms: right if it sends only one state in {multiple} updates, "
            "else set controller_period_s"
        )
    return ""

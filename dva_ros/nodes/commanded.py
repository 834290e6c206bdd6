"""What a joint_trajectory_controller says that it commands, in our order of joints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .conversions import seconds_of


@dataclass(frozen=True)
class Commanded:
    """What the controller commands, each float64 [J].

    Attributes:
        stamp: of the reference, s.
        output: positions written last.
        positions: of the reference.
        velocities: of the reference.
        accelerations: of the reference.
    """

    stamp: float
    output: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray
    accelerations: np.ndarray

    def at(self, now: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions, velocities and accelerations now; at rest the positions written."""
        if not self.velocities.any():
            return self.output, self.velocities, self.accelerations
        since = now - self.stamp
        return (
            self.positions + self.velocities * since + self.accelerations * since**2 / 2,
            self.velocities + self.accelerations * since,
            self.accelerations,
        )


class JointOrder:
    """Brings values of named joints into one order.

    Attributes:
        fault: why the last values could not be used; empty if they could.
    """

    def __init__(self, names: Sequence[str], complain: Callable[[str], object]) -> None:
        """`complain` hears once of every set of names that lacks a joint."""
        self._names = tuple(names)
        self._complain = complain
        self._orders: dict[tuple[str, ...], np.ndarray | None] = {}
        self.fault = ""

    def apply(self, names: Sequence[str], values: Sequence[float]) -> np.ndarray | None:
        """Values in our order, float64 [J]; None where a joint is missing."""
        key = tuple(names)
        if key not in self._orders:
            missing = [name for name in self._names if name not in key]
            order = [key.index(name) for name in self._names if name in key]
            self._orders[key] = None if missing else np.array(order, np.intp)
            if missing:
                self._complain(
                    f"joint names do not match: {', '.join(missing)} missing; got {list(key)}"
                )
        order_of = self._orders[key]
        if order_of is None or len(values) != len(key):
            self.fault = "joint names do not match" if order_of is None else "sizes differ"
            return None
        self.fault = ""
        return np.asarray(values, np.float64)[order_of]

    def commanded(self, message: Any) -> Commanded | None:
        """From a controller's state message; None where it cannot be used."""
        names, reference = message.joint_names, message.reference
        output = self.apply(names, message.output.positions or reference.positions)
        if output is None:
            return None
        found = [
            self.apply(names, values) if values else fallback
            for values, fallback in (
                (reference.positions, output),
                (reference.velocities, np.zeros_like(output)),
                (reference.accelerations, np.zeros_like(output)),
            )
        ]
        usable = [v for v in (output, *found) if v is not None and np.isfinite(v).all()]
        if len(usable) < 4:
            return None
        return Commanded(seconds_of(message.header.stamp), *usable)

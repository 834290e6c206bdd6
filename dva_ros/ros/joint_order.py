"""Values of named joints, in our order of joints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


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

"""How far joints are from where they are commanded to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .motion import Motion

_SUSTAINED_S = 0.25
_PERIOD_S = 0.04


@dataclass
class TrackingError:
    """Compares joint positions with what was commanded.

    Attributes:
        delays_s: float [N], how long ago the command may have been that a position answers.
        share: of the worst joint, its distance as a share of its greatest.
        distance: of that joint, rad or m.
        fault: which joint has been too far away for a while, and how far; empty if none.
    """

    delays_s: np.ndarray
    share: float = 0.0
    distance: float = 0.0
    fault: str = ""
    _since: float | None = None
    _checked: float = float("-inf")

    @staticmethod
    def of_measured() -> TrackingError:
        """For measured positions: a servo follows a moment later."""
        return TrackingError(np.linspace(0.0, 0.3, 4))

    @staticmethod
    def of_commanded() -> TrackingError:
        """For what the controller itself says it commands: at once, but clocks differ."""
        return TrackingError(np.linspace(-0.05, 0.1, 4))

    def add(
        self,
        time: float,
        positions: np.ndarray,
        motion: Motion,
        greatest: np.ndarray,
        names: tuple[str, ...],
    ) -> None:
        """Take positions [J] of a time.

        Args:
            time: s.
            positions: float64 [J].
            motion: what is commanded, its past included.
            greatest: float64 [J], distances that are still good.
            names: of the joints.
        """
        if 0.0 <= time - self._checked < _PERIOD_S:
            return
        self._checked = time
        commanded = motion.sample(time - self.delays_s)[0]
        away = np.maximum(commanded.min(axis=0) - positions, positions - commanded.max(axis=0))
        worst = int(np.argmax(away / greatest))
        self.share = max(0.0, float(away[worst] / greatest[worst]))
        self.distance = max(0.0, float(away[worst]))
        if self.share <= 1.0:
            self._since, self.fault = None, ""
            return
        self._since = time if self._since is None else self._since
        if time - self._since >= _SUSTAINED_S:
            self.fault = (
                f"joint {names[worst]} is {self.distance:.3f} from where it is commanded to be "
                f"(at most {greatest[worst]:.3f})"
            )

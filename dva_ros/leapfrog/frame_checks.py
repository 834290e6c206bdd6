"""Whether a context frame is one that the future may be asked for after."""

from __future__ import annotations

from .messages import Frame, RefusedError
from .parameters import LeapfrogParameters

_SAME_PERIOD = 0.05
"""Greatest difference of two periods that are meant to be the same, as a share."""


def require_frame(
    frame: Frame, previous: Frame | None, now: float, parameters: LeapfrogParameters
) -> None:
    """Refuse a frame that is not next in its session (`previous`), not of now, or off the grid.

    Raises:
        RefusedError: with the figures.
    """
    if previous is not None and previous.session != frame.session:
        previous = None
    if previous is not None and frame.index <= previous.index:
        raise RefusedError("frame out of order", f"frame {frame.index} after {previous.index}")
    if not abs(now - frame.stamp) <= parameters.stale_timeout_s:
        age_s = now - frame.stamp
        raise RefusedError("frame stale", f"frame {frame.index} is stamped {age_s:.3f} s ago")
    if previous is not None:
        apart_s = (frame.stamp - previous.stamp) / (frame.index - previous.index)
        require_period("frames are", apart_s, parameters)


def require_period(what: str, found_s: float, parameters: LeapfrogParameters) -> None:
    """Refuse what is not on the scheduler's grid; `what` begins the sentence that says so.

    Raises:
        RefusedError: with both periods.
    """
    period_s = parameters.frame_period_s
    if not abs(found_s - period_s) <= _SAME_PERIOD * period_s:
        raise RefusedError(
            "other grid",
            f"{what} {found_s:.3g} s apart, the scheduler's {period_s:.3g} s: frame_period_s and "
            "time_scaling must be the same in all nodes",
        )

"""Real-time chunking: inpainting a chunk whose beginning is frozen and whose middle is guided."""

from __future__ import annotations

import numpy as np

from ...leapfrog.messages import Frame
from ...leapfrog.motion import Motion
from ...leapfrog.parameters import LeapfrogParameters
from ...leapfrog.target_spline import curve_through
from .baseline import Arrival, BaselineState, Question, require_ahead


def soft_mask(horizon: int, frozen: int, shift: int) -> np.ndarray:
    """How strongly each frame is held to the previous chunk, float32 [H].

    Equation 5 of Black et al. 2025 (arXiv 2506.07339), with i counted from 0:
    1 for i < d; c (exp(c) - 1) / (e - 1) with c = (H - s - i) / (H - s - d + 1) up to H - s, the
    end of the overlap; 0 beyond.

    Args:
        horizon: H.
        frozen: d.
        shift: s, frames from the previous chunk to this one.
    """
    index = np.arange(horizon)
    end = max(horizon - shift, 0)
    frozen = min(frozen, end)
    c = np.clip((end - index) / (end - frozen + 1), 0.0, 1.0)
    weights = np.where(index < frozen, 1.0, c * np.expm1(c) / np.expm1(1.0))
    return np.where(index < end, weights, 0.0).astype(np.float32)


class RealTimeChunking:
    """The first d frames are frozen: they are the committed motion, in the request and in the
    answer. The frames up to the previous chunk's end are guided toward it while the clip is
    sampled (`Request.guidance`; see `video.guidance`). Beyond, the clip is free. The answer
    replaces the executing motion as it is: no blending and no limits.
    """

    def ask(
        self, frame: Frame, state: BaselineState, parameters: LeapfrogParameters
    ) -> Question | None:
        """Every `execution_horizon`."""
        if not state.is_due(frame, parameters):
            return None
        waited = state.waited(frame)
        count = parameters.inference_delay_frames
        times = frame.stamp + parameters.frame_period_s * np.arange(1, count + 1)
        committed = state.motion.sample(times)[0].astype(np.float32)
        if waited is None:
            return Question(committed)
        return Question(committed, soft_mask(parameters.horizon, count, waited))

    def answer(self, arrived: Arrival, state: BaselineState) -> Motion:
        """The chunk's curve, through the frozen targets first."""
        request, targets, grid = arrived.request, arrived.targets, arrived.grid
        count = len(request.committed)
        require_ahead(grid, request.frame_index + len(targets), arrived.now)
        past = grid.first_after(arrived.now) - (request.frame_index + count + 1)
        state.consumed_ticks += max(0, past)
        frozen = np.vstack([request.committed, targets[count:]])
        return curve_through(request.anchor, frozen, request.stamp, arrived.period_s)

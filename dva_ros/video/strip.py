"""The operator's picture: what is real now, and what is imagined for the moments ahead."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

SCALE = 4
BAR = 18
STALE_AGE_S = 1.0
_FRESH, _STALE = (235, 235, 235), (255, 90, 80)


def compose_strip(
    real: np.ndarray, clip: np.ndarray, ahead: Sequence[int], period_s: float, age_s: float
) -> np.ndarray:
    """Tile the real frame and frames of a clip, each with its horizon, from left to right.

    Args:
        real: uint8 RGB [height, width, 3], frame n.
        clip: uint8 RGB [H, height, width, 3], frames n+1 .. n+H.
        ahead: which frames of the clip, 1 for n+1.
        period_s: of the grid.
        age_s: time since frame n; burned in, in red where the clip is stale.

    Returns:
        uint8 RGB [SCALE * height + BAR, SCALE * width * (1 + len(ahead)), 3].
    """
    stale = age_s > STALE_AGE_S
    tiles = [_tile(real, f"real, {age_s:.1f} s ago", stale)]
    tiles += [_tile(clip[k - 1], f"+{k * period_s:.1f} s", stale) for k in ahead]
    return np.hstack(tiles)


def _tile(image: np.ndarray, text: str, stale: bool) -> np.ndarray:
    height, width = image.shape[0] * SCALE, image.shape[1] * SCALE
    large = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
    if stale:
        large = large // 3
    bar = np.zeros((BAR, width, 3), np.uint8)
    colour = _STALE if stale else _FRESH
    label = f"{text}  STALE" if stale else text
    cv2.putText(bar, label, (4, BAR - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
    large[:, -1] = 0
    return np.vstack([bar, large])

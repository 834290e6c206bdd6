"""How far a chunk's opinion of the committed frames is from what is executing."""

from __future__ import annotations

import numpy as np


def consistency(committed: np.ndarray, targets: np.ndarray) -> float:
    """Largest distance between committed targets and the chunk's own for the same frames.

    Args:
        committed: float [d, J], what was executing when the request was made.
        targets: float [H, J] of the chunk, H >= d.

    Returns:
        Largest absolute difference over frames and joints; 0 where nothing was committed.
    """
    if len(committed) == 0:
        return 0.0
    return float(np.abs(targets[: len(committed)] - committed).max())

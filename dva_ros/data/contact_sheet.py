"""Contact sheets of episodes: one row per episode, time from left to right."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..spec import CellSpec
from .episodes import Episode
from .store_cache import mosaics

GAP = 2
CAPTION_HEIGHT = 14
SCALE = 2
CAPTION_COLOUR = (40, 40, 40)
DISTURBED_COLOUR = (220, 60, 40)


def episode_sheet(episodes: Sequence[Episode], spec: CellSpec, columns: int = 12) -> np.ndarray:
    """Tiled observations at even times of each episode, with a caption; a red bar marks disturbed
    frames.

    Returns:
        uint8 RGB [height, width, 3].
    """
    return np.concatenate([_row(episode, spec, columns) for episode in episodes])


def _row(episode: Episode, spec: CellSpec, columns: int) -> np.ndarray:
    chosen = np.linspace(0, episode.num_frames - 1, columns).round().astype(int)
    pictures = mosaics(episode, spec)[chosen].repeat(SCALE, axis=1).repeat(SCALE, axis=2)
    height, width = pictures.shape[1:3]
    row = np.full((CAPTION_HEIGHT + height + GAP, columns * (width + GAP), 3), 255, np.uint8)
    for place, (frame, picture) in enumerate(zip(chosen, pictures, strict=True)):
        left = place * (width + GAP)
        row[CAPTION_HEIGHT : CAPTION_HEIGHT + height, left : left + width] = picture
        if not episode.clean[frame]:
            row[CAPTION_HEIGHT : CAPTION_HEIGHT + 3, left : left + width] = DISTURBED_COLOUR
    seconds = (episode.num_frames - 1) * spec.frame_period_s
    caption = (
        f"{episode.task}  seed {episode.seed}  {seconds:.1f} s  "
        f'{"success" if episode.success else "failure"}  "{episode.instruction}"'
    )
    place_of_text = (2, CAPTION_HEIGHT - 4)
    cv2.putText(
        row, caption, place_of_text, cv2.FONT_HERSHEY_SIMPLEX, 0.38, CAPTION_COLOUR, 1, cv2.LINE_AA
    )
    return row

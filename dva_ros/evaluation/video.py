"""A film of an episode: the real cameras beside the future that was imagined."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np

from ..errors import UserError
from ..spec import CellSpec

WIDTH, HEIGHT = 1280, 720
_TOP, _BOTTOM, _GAP = 40, 34, 10
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BACKGROUND = (24, 26, 30)
_TEXT = (230, 230, 230)
_COMMITTED = (150, 150, 150)
_REPLANNED = (90, 170, 255)
_NOW = (255, 210, 70)
_SUCCESS = (60, 190, 90)
_FAILURE = (210, 70, 60)
_BANNER_S = 1.5
_SHEET_COLUMNS, _SHEET_ROWS = 3, 4


class EpisodeVideo:
    """Writes an mp4 while an episode runs, and a contact sheet (PNG) beside it at its end.

    To the left the real cameras, to the right the imagined picture for this very moment, below
    it the clip that is executing: the committed frames 1..d in grey, the replanned ones in blue.
    Use as a context manager; the file is readable also after an exception.
    """

    def __init__(self, path: Path, spec: CellSpec, title: str) -> None:
        """Open the file.

        Args:
            path: mp4 to write; the contact sheet has the same name with ``.png``.
            spec: cameras and period.
            title: shown at the top.

        Raises:
            UserError: the file cannot be written.
        """
        self.path = path
        self.sheet_path = path.with_suffix(".png")
        self._spec = spec
        self._title = title
        self._fps = Fraction(1 / spec.frame_period_s).limit_denominator(100)
        self._clip: np.ndarray | None = None
        self._clip_frame = 0
        self._committed = 0
        self._canvases: list[np.ndarray] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(path), "w", format="mp4")
        except OSError as error:
            raise UserError(f"cannot write the video {path}: {error}") from error
        self._stream = self._container.add_stream(
            "libx264", rate=self._fps, options={"crf": "20", "preset": "veryfast", "bf": "0"}
        )
        self._stream.width, self._stream.height = WIDTH, HEIGHT
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1

    def __enter__(self) -> EpisodeVideo:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()
        if self._canvases:
            self._write_sheet()

    def imagined(self, clip: np.ndarray, frame_index: int, committed_frames: int) -> None:
        """A clip became motion: uint8 mosaics [H, h, w, 3] for the frames after frame_index."""
        self._clip, self._clip_frame, self._committed = clip, frame_index, committed_frames

    def frame(self, images: Mapping[str, np.ndarray], frame_index: int, caption: str) -> None:
        """Write one frame: uint8 RGB pictures of all cameras at any size, and a line of text."""
        canvas = np.full((HEIGHT, WIDTH, 3), _BACKGROUND, np.uint8)
        _write(canvas, self._title, (_GAP, 27), 0.7)
        _write(canvas, caption, (_GAP, HEIGHT - 11), 0.55)
        column = (WIDTH - 3 * _GAP) // 2
        height = HEIGHT - _TOP - _BOTTOM
        real = [images[camera.name] for camera in self._spec.cameras]
        _stack(canvas, real, (_GAP, _TOP), (column, height))
        _label(canvas, "real cameras", (_GAP + 8, _TOP + 8))
        left = 2 * _GAP + column
        if self._clip is None:
            _label(canvas, "nothing imagined yet", (left + 8, _TOP + 8))
        else:
            self._draw_clip(canvas, self._clip, frame_index, left, column, height)
        self._append(canvas)

    def finish(self, success: bool, outcome: str) -> None:
        """Repeat the last picture with a banner."""
        if not self._canvases:
            return
        canvas = self._canvases[-1].copy()
        colour = _SUCCESS if success else _FAILURE
        cv2.rectangle(canvas, (0, HEIGHT // 2 - 45), (WIDTH, HEIGHT // 2 + 45), colour, -1)
        text = "SUCCESS" if success else f"FAILED: {outcome}"
        (width, height), _ = cv2.getTextSize(text, _FONT, 1.6, 3)
        at = ((WIDTH - width) // 2, (HEIGHT + height) // 2)
        cv2.putText(canvas, text, at, _FONT, 1.6, (255, 255, 255), 3, cv2.LINE_AA)
        for _ in range(round(_BANNER_S * self._fps)):
            self._append(canvas)

    def _draw_clip(
        self,
        canvas: np.ndarray,
        clip: np.ndarray,
        frame_index: int,
        left: int,
        column: int,
        height: int,
    ) -> None:
        horizon = len(clip)
        ahead = min(max(frame_index - self._clip_frame, 1), horizon)
        cell_width = column // horizon
        strip = round((cell_width - 4) * clip.shape[1] / clip.shape[2])
        _stack(canvas, [clip[ahead - 1]], (left, _TOP), (column, height - strip - 34))
        period = self._spec.frame_period_s
        label = f"imagined {ahead * period:.1f} s ago for this moment"
        _label(canvas, label, (left + 8, _TOP + 8))
        top = _TOP + height - strip - 6
        for i, image in enumerate(clip):
            x = left + i * cell_width
            colour = _COMMITTED if i < self._committed else _REPLANNED
            colour = _NOW if i + 1 == ahead else colour
            _stack(canvas, [image], (x + 2, top), (cell_width - 4, strip))
            cv2.rectangle(canvas, (x, top - 2), (x + cell_width - 2, top + strip + 1), colour, 2)
            _write(canvas, f"+{(i + 1) * period:.1f} s", (x + 4, top - 8), 0.42, colour)

    def _append(self, canvas: np.ndarray) -> None:
        self._canvases.append(canvas)
        frame = av.VideoFrame.from_ndarray(canvas, format="rgb24")
        self._container.mux(self._stream.encode(frame))

    def _write_sheet(self) -> None:
        count = _SHEET_COLUMNS * _SHEET_ROWS
        chosen = np.linspace(0, len(self._canvases) - 1, count).round().astype(int)
        size = (WIDTH // 2, HEIGHT // 2)
        small = [cv2.resize(self._canvases[i], size, interpolation=cv2.INTER_AREA) for i in chosen]
        rows = [np.hstack(small[i : i + _SHEET_COLUMNS]) for i in range(0, count, _SHEET_COLUMNS)]
        sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
        if not cv2.imwrite(str(self.sheet_path), sheet):
            raise UserError(f"cannot write the contact sheet {self.sheet_path}")


def _stack(
    canvas: np.ndarray, images: list[np.ndarray], at: tuple[int, int], size: tuple[int, int]
) -> None:
    """Draw pictures from top to bottom, all of one width, as large as fits, centred."""
    ratio = sum(image.shape[0] / image.shape[1] for image in images)
    width = min(size[0], int(size[1] / ratio))
    x = at[0] + (size[0] - width) // 2
    y = at[1]
    for image in images:
        height = int(width * image.shape[0] / image.shape[1])
        scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
        canvas[y : y + height, x : x + width] = scaled
        y += height


def _write(
    canvas: np.ndarray,
    text: str,
    at: tuple[int, int],
    scale: float,
    colour: tuple[int, int, int] = _TEXT,
) -> None:
    cv2.putText(canvas, text, at, _FONT, scale, colour, 1, cv2.LINE_AA)


def _label(canvas: np.ndarray, text: str, at: tuple[int, int]) -> None:
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.55, 1)
    x, y = at
    cv2.rectangle(canvas, (x - 4, y - 4), (x + width + 4, y + height + 8), _BACKGROUND, -1)
    _write(canvas, text, (x, y + height + 2), 0.55)

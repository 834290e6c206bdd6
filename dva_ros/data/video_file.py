"""Small RGB videos in MP4 files: one frame per grid step, readable frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

ENCODER_OPTIONS = {"crf": "12", "preset": "veryfast", "g": "10", "bf": "0"}
FAST_OPTIONS = {**ENCODER_OPTIONS, "crf": "15", "preset": "ultrafast"}
"""For cameras' own pictures: about half the work to write and to read, no greater error, but files
1.4 to 1.7 times as large (docs/guides/record.md)."""
PIXEL_FORMAT = "yuv444p"
"""Full colour: with 4:2:0 the edges of small coloured things bleed (41 instead of 49 dB)."""


class VideoEncoder:
    """Writes one H.264 file picture by picture. `close` makes it whole.

    Args:
        path: file to create.
        fps: frames per second; frame n has time n / fps exactly.
        pixel_format: of the stored pictures; "yuv420p" needs even sizes.
        options: of libx264.

    Raises:
        OSError: from every method: the file could not be written (for instance a full disk).
    """

    def __init__(
        self,
        path: Path,
        fps: float,
        pixel_format: str = PIXEL_FORMAT,
        options: Mapping[str, str] = ENCODER_OPTIONS,
    ) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "faststart"})
        self._stream = self._container.add_stream(
            "libx264", rate=round(fps), options=dict(options)
        )
        self._stream.pix_fmt = self._format = pixel_format
        self._stream.codec_context.thread_count = 1
        self._converter = VideoReformatter()  # shared: a new one for each frame is slow
        self._started = False

    def add(self, image: np.ndarray) -> None:
        """Append a picture, uint8 RGB [h, w, 3], of the size of the first one."""
        if not self._started:
            self._stream.height, self._stream.width = image.shape[:2]
            self._started = True
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), format="rgb24")
        converted = self._converter.reformat(frame, format=self._format, threads=1)
        self._container.mux(self._stream.encode(converted))

    def close(self) -> None:
        """Write what the encoder still holds, and the end of the file."""
        try:
            if self._started:
                self._container.mux(self._stream.encode())
        finally:
            self._container.close()


class BackgroundEncoder:
    """A `VideoEncoder` in a separate thread: it encodes a picture while the next one is made.

    Args:
        encoder: to be used by this one alone from now on.

    Raises:
        OSError: from `add` and `close`: a picture before could not be written.
    """

    def __init__(self, encoder: VideoEncoder) -> None:
        self._encoder = encoder
        self._thread = ThreadPoolExecutor(1, "video encoder")
        self._last: Future[None] | None = None

    def add(self, image: np.ndarray) -> None:
        """Append a picture, uint8 RGB [h, w, 3]; it must not be changed afterwards."""
        self._wait()
        self._last = self._thread.submit(self._encoder.add, image)

    def close(self) -> None:
        """Write what the encoder still holds, and the end of the file."""
        try:
            self._wait()
        finally:
            self._thread.shutdown()
            self._encoder.close()

    def _wait(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.result()


def encode_video(path: Path, clips: Iterable[np.ndarray], fps: float) -> None:
    """Write clips one after the other into one H.264 file.

    Args:
        path: file to create.
        clips: uint8 RGB [T, h, w, 3] each, all of one even size.
        fps: frames per second; frame n has time n / fps exactly.

    Raises:
        OSError: the file could not be written (for instance a full disk).
    """
    encoder = VideoEncoder(path, fps)
    try:
        for clip in clips:
            for image in clip:
                encoder.add(image)
    finally:
        encoder.close()


def stream_frames(path: Path, first_s: float, count: int, fps: float) -> Iterator[np.ndarray]:
    """Decode `count` pictures from time `first_s` on, one at a time, uint8 RGB [h, w, 3].

    Raises:
        OSError: the file cannot be opened, or is damaged in that span.
    """
    converter = VideoReformatter()
    given = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        container.seek(int(first_s / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            if frame.time is None or frame.time < first_s - 0.5 / fps:
                continue
            if given == count:
                return
            yield converter.reformat(frame, format="rgb24", threads=1).to_ndarray()
            given += 1
    if given < count:
        raise OSError(f"{path} ends after {given} of {count} frames")


def decode_spans(
    path: Path, spans: Sequence[tuple[int, int]], fps: float
) -> list[np.ndarray | None]:
    """Decode spans of frames in one pass over the file.

    Args:
        path: video file.
        spans: (first frame, number of frames) each.
        fps: frames per second of the file.

    Returns:
        For each span uint8 RGB [count, h, w, 3], or None where a frame of it is missing or
        damaged; the rest of the file is still used.

    Raises:
        OSError: the file cannot be opened as a video at all.
    """
    wanted = {first + offset for first, count in spans for offset in range(count)}
    frames: dict[int, np.ndarray] = {}
    converter = VideoReformatter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"err_detect": "explode"}
        for packet in container.demux(stream):
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                continue
            for frame in decoded:
                index = round(frame.time * fps) if frame.time is not None else -1
                if index in wanted and not frame.is_corrupt:
                    picture = converter.reformat(frame, format="rgb24", threads=1)
                    frames[index] = picture.to_ndarray()
    return [_stack(frames, first, count) for first, count in spans]


def _stack(frames: dict[int, np.ndarray], first: int, count: int) -> np.ndarray | None:
    indices = range(first, first + count)
    if any(index not in frames for index in indices):
        return None
    return np.stack([frames[index] for index in indices])

"""Small RGB videos in MP4 files: one frame per grid step, readable frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

ENCODER_OPTIONS = {"crf": "12", "preset": "veryfast", "g": "10", "bf": "0"}
PIXEL_FORMAT = "yuv444p"
"""Full colour: with 4:2:0 the edges of small coloured things bleed (41 instead of 49 dB)."""


def encode_video(path: Path, clips: Iterable[np.ndarray], fps: float) -> None:
    """Write clips one after the other into one H.264 file.

    Args:
        path: file to create.
        clips: uint8 RGB [T, h, w, 3] each, all of one even size.
        fps: frames per second; frame n has time n / fps exactly.

    Raises:
        OSError: the file could not be written (for instance a full disk).
    """
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=round(fps), options=ENCODER_OPTIONS)
        stream.pix_fmt = PIXEL_FORMAT
        stream.codec_context.thread_count = 1
        converter = VideoReformatter()  # shared: a new one for each frame is slow
        started = False
        for clip in clips:
            if not started:
                stream.height, stream.width = clip.shape[1:3]
                started = True
            for image in clip:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                container.mux(stream.encode(converter.reformat(frame, format=PIXEL_FORMAT)))
        container.mux(stream.encode())


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
                    frames[index] = converter.reformat(frame, format="rgb24").to_ndarray()
    return [_stack(frames, first, count) for first, count in spans]


def _stack(frames: dict[int, np.ndarray], first: int, count: int) -> np.ndarray | None:
    indices = range(first, first + count)
    if any(index not in frames for index in indices):
        return None
    return np.stack([frames[index] for index in indices])

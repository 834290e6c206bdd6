"""Writes episodes into shards while they are read: pictures go to the encoder, not to memory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..context.frame import ContextFrame
from ..context.mosaic import split_mosaic
from ..data import lerobot_format as fmt
from ..data.episodes import Episode
from ..data.shards import (
    ShardSummary,
    begin_shard,
    finish_shard,
    shard_folder,
    video_file,
    write_tables,
)
from ..data.statistics import IMAGE_STRIDE, sample_statistics
from ..data.video_file import (
    ENCODER_OPTIONS,
    FAST_OPTIONS,
    PIXEL_FORMAT,
    BackgroundEncoder,
    VideoEncoder,
)
from ..spec import CellSpec
from .episode_sink import EpisodeLabel

MOST_SAMPLES = 64
"""Pictures of a camera in an episode's statistics."""

MOST_PIXELS = 20_000
"""Of each of them; of larger ones some rows and columns are left out."""

SPLIT = "train"


@dataclass
class _Part:
    """One shard that is being written."""

    folder: Path
    encoders: dict[str, BackgroundEncoder]
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    states: list[np.ndarray] = field(default_factory=list)
    clean: list[bool] = field(default_factory=list)
    samples: dict[str, list[np.ndarray]] = field(default_factory=dict)
    stride: int = IMAGE_STRIDE


class RecordedShards:
    """One shard for each part of an episode; a `recordings.episode_sink.EpisodeSink`.

    Args:
        parent: folder of the shards.
        spec: joints, cameras and period.
        as_model: store the pictures as the model sees them, not as the cameras gave them.
        pixel_format: of the videos; with "yuv420p" odd rows and columns at the edge are cut.
    """

    def __init__(
        self, parent: Path, spec: CellSpec, as_model: bool, pixel_format: str = PIXEL_FORMAT
    ) -> None:
        self.summaries: list[ShardSummary] = []
        self._parent = parent
        self._spec = spec
        self._as_model = as_model
        self._format = pixel_format
        self._parts: list[_Part] = []
        self._open: _Part | None = None
        self._number = 0
        self._last_parts = 0

    def add(self, frame: ContextFrame, images: Mapping[str, np.ndarray]) -> None:
        """See `EpisodeSink`."""
        if self._open is None:
            self._open = self._begin()
        part = self._open
        pictures = split_mosaic(frame.mosaic, self._spec) if self._as_model else images
        for name, encoder in part.encoders.items():
            picture = self._fitting(pictures[name])
            part.sizes.setdefault(name, (picture.shape[0], picture.shape[1]))
            encoder.add(picture)
            if len(part.states) % part.stride == 0:
                step = 1 + int((picture.shape[0] * picture.shape[1] / MOST_PIXELS) ** 0.5)
                part.samples.setdefault(name, []).append(picture[::step, ::step].copy())
        part.states.append(frame.position)
        part.clean.append(frame.good)
        if len(part.states) >= part.stride * MOST_SAMPLES:
            part.stride *= 2
            part.samples = {name: taken[::2] for name, taken in part.samples.items()}

    def cut(self) -> None:
        """See `EpisodeSink`."""
        if self._open is not None:
            for encoder in self._open.encoders.values():
                encoder.close()
            self._open = None

    def finish(self, actions: Sequence[np.ndarray], label: EpisodeLabel) -> None:
        """See `EpisodeSink`.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        self.cut()
        parts, self._parts = self._parts, []
        for part, action in zip(parts, actions, strict=True):
            self.summaries.append(self._write(part, action, label))
        self._last_parts = len(parts)

    def abandon(self) -> None:
        """See `EpisodeSink`."""
        self.cut()
        for part in self._parts:
            shutil.rmtree(part.folder, ignore_errors=True)
        self._parts = []

    def remove_last(self) -> None:
        """See `EpisodeSink`."""
        for _ in range(self._last_parts):
            shutil.rmtree(shard_folder(self._parent, self.summaries.pop().number))
        self._last_parts = 0

    def _begin(self) -> _Part:
        folder = begin_shard(self._parent, self._number)
        self._number += 1
        rate = fmt.frame_rate(self._spec)
        options = ENCODER_OPTIONS if self._as_model else FAST_OPTIONS
        part = _Part(
            folder,
            {
                camera.name: BackgroundEncoder(
                    VideoEncoder(video_file(folder, camera.name), rate, self._format, options)
                )
                for camera in self._spec.cameras
            },
        )
        self._parts.append(part)
        return part

    def _fitting(self, picture: np.ndarray) -> np.ndarray:
        if self._format != "yuv420p":
            return picture
        height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
        return picture[:height, :width]

    def _write(self, part: _Part, action: np.ndarray, label: EpisodeLabel) -> ShardSummary:
        episode = Episode(
            images={},
            state=np.stack(part.states).astype(np.float32),
            action=action,
            clean=np.array(part.clean, dtype=bool),
            task=label.task,
            instruction=label.instruction,
            seed=label.seed,
            success=label.success,
        )
        samples = part.samples.items()
        statistics = {name: sample_statistics(np.stack(taken)) for name, taken in samples}
        write_tables(part.folder, [episode], [statistics], SPLIT, self._spec)
        number = int(part.folder.name.split("-")[1])
        summary = ShardSummary(
            number=number,
            recorded=1,
            succeeded=int(label.success),
            kept=1,
            frames=episode.num_frames,
            image_sizes=part.sizes,
        )
        finish_shard(part.folder, self._parent, summary)
        return summary

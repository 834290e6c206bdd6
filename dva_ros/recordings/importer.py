"""Bags and datasets into one LeRobot v3 dataset."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from ..data import lerobot_format as fmt
from ..data.lerobot_writer import assemble
from ..data.video_file import PIXEL_FORMAT
from .bag import open_bag
from .bag_source import BagSource
from .errors import RecordingError
from .lerobot_source import LeRobotSource, is_dataset
from .recorded_shards import RecordedShards
from .replay import Replay, ReplayCounts, ReplayOptions
from .settings import CellSettings
from .topic_map import map_topics

WORK_FOLDER = ".import"
Progress = Callable[[str, float, ReplayCounts], object]
"""Called with the source's name, the fraction that is done (0..1) and the counts of the source."""


@dataclass(frozen=True)
class DatasetForm:
    """How the dataset is stored.

    Attributes:
        as_model: pictures as the model sees them instead of the cameras' own.
        pixel_format: of the videos.
        robot_type: named in the dataset.
    """

    as_model: bool = False
    pixel_format: str = PIXEL_FORMAT
    robot_type: str = fmt.ROBOT_TYPE


@dataclass
class ImportReport:
    """What was imported.

    Attributes:
        counts: over all sources.
        notes: what was lost, a line each.
    """

    counts: ReplayCounts = field(default_factory=ReplayCounts)
    notes: list[str] = field(default_factory=list)


def import_recordings(
    sources: Sequence[Path],
    output: Path,
    settings: CellSettings,
    options: ReplayOptions,
    form: DatasetForm | None = None,
    namespace: str | None = None,
    progress: Progress = lambda name, done, counts: None,
) -> ImportReport:
    """Write one dataset from all sources. The dataset appears only when it is complete.

    Args:
        sources: bags (files or folders) and LeRobot datasets.
        output: the dataset's folder, which must not hold one yet.
        settings: of the cell.
        options: which episodes are kept.
        form: how they are stored.
        namespace: of the cell's topics in bags; None where it is to be found.
        progress: called repeatedly.

    Raises:
        RecordingError: a source cannot be used, nothing of them can be kept, or the disk is full.
    """
    if not sources:
        raise RecordingError("no recording was given")
    if (output / "meta").exists() or (output / "data").exists():
        raise RecordingError(f"{output} holds a dataset already; choose another --output")
    work = output / WORK_FOLDER
    shutil.rmtree(work, ignore_errors=True)
    form = form or DatasetForm()
    spec = settings.spec
    shards = RecordedShards(work, spec, form.as_model, form.pixel_format)
    run = _Import(settings, options, namespace, shards, progress)
    try:
        work.mkdir(parents=True)
        for source in sources:
            if is_dataset(source):
                run.dataset(source)
            else:
                run.bag(source)
        if not shards.summaries:
            raise RecordingError(_nothing(run.report))
        assemble(output, work, shards.summaries, spec, form.robot_type, form.pixel_format)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise RecordingError(f"the disk of {output} is full; nothing was imported") from error
        raise RecordingError(f"{output} cannot be written: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if output.is_dir() and not os.listdir(output):
            output.rmdir()
    return run.report


@dataclass(frozen=True)
class _Import:
    """Imports one source after the other; the attributes are those of `import_recordings`."""

    settings: CellSettings
    options: ReplayOptions
    namespace: str | None
    shards: RecordedShards
    progress: Progress
    report: ImportReport = field(default_factory=ImportReport)

    def bag(self, source: Path) -> None:
        files = open_bag(source)
        named = {topic.name: topic for file in files for topic in file.topics()}
        topics = map_topics(named.values(), self.settings, self.namespace)
        replay = Replay(self.settings, topics.marked, self.shards, self.options)
        bag = BagSource(self.settings, topics, replay)
        size, before = sum(file.size for file in files) or 1, 0
        for file in files:
            first = before

            def tell(position: int, first: int = first) -> None:
                self.progress(source.name, (first + position) / size, replay.counts)

            bag.feed(file, tell)
            before += file.size
        replay.end()
        self.progress(source.name, 1.0, replay.counts)
        self._add(source, replay, [str(found) for file in files for found in file.breaks])
        counts = replay.counts
        ended = counts.failures + counts.unfinished + counts.discarded + counts.short
        if topics.marked and not self.options.whole and not counts.episodes + ended:
            self.report.notes.append(
                f"{source}: no episode was marked in it; --whole takes all of it as episodes"
            )

    def dataset(self, source: Path) -> None:
        dataset = LeRobotSource(source, self.settings)
        settings = replace(self.settings, inputs=dataset.inputs())
        replay = Replay(settings, True, self.shards, replace(self.options, whole=False))

        def tell(frames: int) -> None:
            self.progress(source.name, frames / dataset.num_frames, replay.counts)

        damaged = dataset.feed(replay, tell)
        replay.end()
        self._add(source, replay, damaged)

    def _add(self, source: Path, replay: Replay, damaged: list[str]) -> None:
        """Add what became of a source to the report.

        Raises:
            RecordingError: a camera or the joints never gave anything usable.
        """
        counts, total, notes = replay.counts, self.report.counts, self.report.notes
        notes += damaged
        if replay.unheard:
            reasons = "; ".join(f"{reason} ({n} times)" for reason, n in counts.refused.items())
            raise RecordingError(
                f"{source} has nothing usable of {', '.join(replay.unheard)}: "
                f"{reasons or 'no message came'}"
            )
        for item in fields(ReplayCounts):
            value = getattr(total, item.name) + getattr(counts, item.name)
            setattr(total, item.name, value)
        for reason, count in {**counts.refused, **replay.lost}.items():
            notes.append(f"{source.name}: {count} messages left out: {reason}")


def _nothing(report: ImportReport) -> str:
    notes = "".join(f"\n  {note}" for note in report.notes)
    return f"no episode can be kept: {report.counts.left_out() or 'none was found'}{notes}"

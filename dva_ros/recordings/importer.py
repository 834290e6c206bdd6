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
from .bag import Break, Topic, open_bag
from .bag_source import BagSource
from .errors import RecordingError
from .lerobot_source import LeRobotSource, is_dataset
from .recorded_shards import RecordedShards
from .replay import Replay, ReplayCounts, ReplayOptions
from .settings import CellSettings
from .topic_map import map_topics

WORK_FOLDER = ".import"
Progress = Callable[[str, float, ReplayCounts], object]
"""Is told the source's name, how much of it is done (0..1), and the counts of this source."""


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
    """Write one dataset of all sources; it appears whole or not at all.

    Args:
        sources: bags (files or folders) and LeRobot datasets.
        output: the dataset's folder, which must not hold one yet.
        settings: of the cell.
        options: which episodes are kept.
        form: how they are stored.
        namespace: of the cell's topics in bags; None where it is to be found.
        progress: told now and then.

    Raises:
        RecordingError: a source cannot be used, nothing of them can be kept, or the disk is full.
    """
    form = form or DatasetForm()
    if not sources:
        raise RecordingError("no recording was given")
    if (output / "meta").exists() or (output / "data").exists():
        raise RecordingError(f"{output} holds a dataset already; choose another --output")
    work = output / WORK_FOLDER
    shutil.rmtree(work, ignore_errors=True)
    report = ImportReport()
    try:
        work.mkdir(parents=True)
        shards = RecordedShards(work, settings.spec, form.as_model, form.pixel_format)
        for source in sources:
            run = _import_dataset if is_dataset(source) else _import_bag
            run(source, settings, options, namespace, shards, report, progress)
        if not shards.summaries:
            raise RecordingError(_nothing(report))
        assemble(output, work, shards.summaries, settings.spec, form.robot_type, form.pixel_format)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise RecordingError(f"the disk of {output} is full; nothing was imported") from error
        raise RecordingError(f"{output} cannot be written: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if output.is_dir() and not os.listdir(output):
            output.rmdir()
    return report


def _import_bag(
    source: Path,
    settings: CellSettings,
    options: ReplayOptions,
    namespace: str | None,
    shards: RecordedShards,
    report: ImportReport,
    progress: Progress,
) -> None:
    files = open_bag(source)
    named: dict[str, Topic] = {topic.name: topic for file in files for topic in file.topics()}
    topics = map_topics(named.values(), settings, namespace)
    replay = Replay(settings, topics.marked, shards, options)
    bag = BagSource(settings, topics, replay)
    size, before = sum(file.size for file in files) or 1, 0
    for file in files:
        first = before

        def tell(position: int, first: int = first) -> None:
            progress(source.name, (first + position) / size, replay.counts)

        bag.feed(file, tell)
        before += file.size
    replay.end()
    progress(source.name, 1.0, replay.counts)
    breaks: list[Break] = [found for file in files for found in file.breaks]
    report.notes += [str(found) for found in breaks]
    _require_heard(source, replay)
    _add(report, source, replay)
    if topics.marked and not options.whole and not sum(_ends(replay.counts)):
        report.notes.append(
            f"{source}: no episode was marked in it; --whole takes all of it as episodes"
        )


def _import_dataset(
    source: Path,
    settings: CellSettings,
    options: ReplayOptions,
    namespace: str | None,
    shards: RecordedShards,
    report: ImportReport,
    progress: Progress,
) -> None:
    dataset = LeRobotSource(source, settings)
    settings = replace(settings, inputs=dataset.inputs())
    replay = Replay(settings, True, shards, replace(options, whole=False))

    def tell(frames: int) -> None:
        progress(source.name, frames / dataset.num_frames, replay.counts)

    report.notes += dataset.feed(replay, tell)
    replay.end()
    _require_heard(source, replay)
    _add(report, source, replay)


def _require_heard(source: Path, replay: Replay) -> None:
    """Raises `RecordingError` where a source of the cell never gave anything usable."""
    unheard = replay.unheard
    if not unheard:
        return
    reasons = "; ".join(f"{reason} ({n} times)" for reason, n in replay.counts.refused.items())
    raise RecordingError(
        f"{source} has nothing usable of {', '.join(unheard)}: {reasons or 'no message came'}"
    )


def _ends(counts: ReplayCounts) -> tuple[int, ...]:
    return (counts.episodes, counts.failures, counts.unfinished, counts.discarded, counts.short)


def _add(report: ImportReport, source: Path, replay: Replay) -> None:
    total = report.counts
    for item in fields(ReplayCounts):
        value = getattr(replay.counts, item.name)
        setattr(total, item.name, getattr(total, item.name) + value)
    for reason, count in {**replay.counts.refused, **replay.lost}.items():
        report.notes.append(f"{source.name}: {count} messages left out: {reason}")


def _nothing(report: ImportReport) -> str:
    counts = report.counts
    found = {
        "failed": counts.failures,
        "without an end": counts.unfinished,
        "discarded": counts.discarded,
        "shorter than a second": counts.short,
        "without an instruction (give --instruction)": counts.silent,
    }
    left = ", ".join(f"{count} {what}" for what, count in found.items() if count)
    notes = "".join(f"\n  {note}" for note in report.notes)
    return f"no episode can be kept: {left or 'none was found'}{notes}"

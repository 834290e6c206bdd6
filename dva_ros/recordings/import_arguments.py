"""What the commands `import` and `export` share."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .importer import DatasetForm, ImportReport
    from .replay import ReplayCounts


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """What is read, and which episodes of it are kept."""
    parser.add_argument(
        "sources",
        type=Path,
        nargs="+",
        metavar="SOURCE",
        help="a bag (.mcap, .db3 or a rosbag2 folder) or the folder of a LeRobot dataset",
    )
    parser.add_argument("--output", type=Path, required=True, help="the new dataset's folder")
    parser.add_argument(
        "--params-file", default="cell", help="parameters of the nodes, or their name in config/"
    )
    parser.add_argument(
        "--map", type=Path, help="YAML of other names of topics, joints, cameras in the sources"
    )
    parser.add_argument("--namespace", help="of the cell's topics, where a bag has several")
    parser.add_argument("--task", default="", help="name, where the marks have none")
    parser.add_argument("--instruction", default="", help="in place of what the sources say")
    parser.add_argument(
        "--whole", action="store_true", help="take all of a bag, whatever its episode marks"
    )
    parser.add_argument(
        "--keep-failures", action="store_true", help="keep failed and unfinished episodes too"
    )
    parser.add_argument(
        "--as-live",
        action="store_true",
        help="mark as missing what came too late for the live node, instead of using it",
    )
    parser.add_argument(
        "--max-episode-s",
        type=float,
        default=120.0,
        help="longer episodes are cut into several (%(default)g)",
    )


def import_with_progress(args: argparse.Namespace, form: DatasetForm, fps: int = 0) -> int:
    """Run the import that the arguments ask for.

    Args:
        args: of the command.
        form: of the dataset.
        fps: frames a second; 0 for the cell's.

    Returns:
        The exit status.
    """
    from tqdm import tqdm

    from ..data.progress import progress_bar
    from ..resources import config_path
    from .errors import RecordingError
    from .importer import import_recordings
    from .replay import ReplayOptions
    from .settings import NameMap, read_map, read_settings

    if not args.max_episode_s >= 1.0:
        raise RecordingError("--max-episode-s must be at least 1")
    names = read_map(args.map) if args.map else NameMap()
    settings = read_settings(config_path(args.params_file), names)
    if fps:
        settings = replace(settings, spec=replace(settings.spec, frame_period_s=1.0 / fps))
    options = ReplayOptions(
        keep_failures=args.keep_failures,
        max_episode_s=args.max_episode_s,
        task=args.task,
        instruction=args.instruction,
        whole=args.whole,
        patience_s=0.0 if args.as_live else ReplayOptions.patience_s,
    )
    begun = time.monotonic()
    with progress_bar(total=100.0, unit="%", bar_format=_BAR) as bar:

        def tell(name: str, done: float, counts: ReplayCounts) -> None:
            if bar.desc != name:
                bar.reset(total=100.0)
                bar.set_description_str(name, refresh=False)
            bar.update(100.0 * done - bar.n)
            bar.set_postfix_str(f"{counts.episodes} episodes", refresh=False)

        report = import_recordings(
            args.sources, args.output, settings, options, form, args.namespace, tell
        )
    for note in report.notes:
        tqdm.write(f"  {note}")
    recorded_s = report.counts.frames * settings.grid.frame_period_s
    print(_summary(args.output, report, recorded_s, time.monotonic() - begun))
    return 0


_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"


def _summary(output: Path, report: ImportReport, recorded_s: float, took_s: float) -> str:
    counts = report.counts
    lines = [
        f"{output}: {counts.episodes} episodes, {counts.frames} frames "
        f"({recorded_s / 60:.1f} min) in {took_s:.1f} s; {counts.succeeded} succeeded"
        + (f", {counts.unmarked} of these without a verdict" if counts.unmarked else "")
    ]
    if left := counts.left_out():
        lines.append(f"  episodes left out: {left}")
    if counts.marked:
        lines.append(f"  {counts.marked} frames miss a camera or the joints: marked as not clean")
    if counts.from_states:
        lines.append(
            f"  {counts.from_states} numbers of actions are measured joints: nothing says what "
            "was commanded"
        )
    return "\n".join(lines)

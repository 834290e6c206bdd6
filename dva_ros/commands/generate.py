"""`python -m dva_ros generate`: record episodes of the embedded cell into a LeRobot dataset."""

from __future__ import annotations

import argparse
import math
import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType

TAKEOVER_LATENCY_MS = 250.0
TAKEOVER_BETWEEN_S = (0.4, 6.0)
SUMMARY = "record expert or random-motion episodes of the embedded cell as a LeRobot dataset"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--task", default="", help="names, or package.module:Task; by comma")
    parser.add_argument(
        "--episodes", type=int, required=True, help="number of scenes recorded of each task"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other scenes")
    parser.add_argument("--split", choices=("train", "validation", "test"), default="train")
    parser.add_argument("--output", type=Path, required=True, help="the dataset's folder")
    parser.add_argument(
        "--random-motion", action="store_true", help="record random motion instead of tasks"
    )
    parser.add_argument(
        "--takeover-from",
        type=Path,
        metavar="MODELS",
        help="let these checkpoints drive for a random while before the expert takes over, so "
        "that it shows how to recover from the models' own mistakes (DAgger)",
    )
    parser.add_argument(
        "--takeover-latency-ms",
        type=float,
        default=TAKEOVER_LATENCY_MS,
        metavar="MS",
        help="modelled latency while the checkpoints drive (%(default)g); a slow machine's makes "
        "other mistakes",
    )
    parser.add_argument(
        "--takeover-between",
        type=float,
        nargs=2,
        default=TAKEOVER_BETWEEN_S,
        metavar="S",
        help="seconds into the scene between which the expert takes over (0.4 6); scenes that the "
        "models have finished by then are left out: late takeovers show what they cannot do",
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that record")
    parser.add_argument(
        "--no-perturbation", action="store_true", help="never disturb the expert's motion"
    )
    parser.add_argument(
        "--keep-failures", action="store_true", help="keep episodes that missed their task"
    )


def run(args: argparse.Namespace) -> int:
    """Record what is missing of the dataset."""
    from tqdm import tqdm

    from ..data.cell_recorder import CellRecorder
    from ..data.generation import Recorded, RecorderFactory, generate
    from ..data.generation_plan import GenerationConfig
    from ..evaluation.takeover import TakeoverRecorder
    from ..spec import EMBEDDED_CELL

    config = GenerationConfig(
        tasks=_tasks(args),
        episodes=args.episodes,
        seed=args.seed,
        split=args.split,
        perturb=not args.no_perturbation,
        keep_failures=args.keep_failures,
        policy="" if args.takeover_from is None else str(args.takeover_from),
        policy_latency_ms=0.0 if args.takeover_from is None else args.takeover_latency_ms,
        takeover_from_s=args.takeover_between[0],
        takeover_until_s=args.takeover_between[1],
    )
    make_recorder: RecorderFactory = CellRecorder
    if args.takeover_from is not None:
        make_recorder = partial(
            TakeoverRecorder,
            args.takeover_from,
            args.takeover_latency_ms / 1000,
            tuple(args.takeover_between),
        )
    total = len(config.tasks) * config.episodes
    frames = succeeded = recorded = 0
    signal.signal(signal.SIGTERM, _interrupt)
    interval = 0.2 if sys.stderr.isatty() else 15.0
    with tqdm(total=total, unit="episode", smoothing=0.05, mininterval=interval) as bar:

        def report(event: Recorded) -> None:
            nonlocal frames, succeeded, recorded
            recorded += event.episodes
            succeeded += event.succeeded
            scenes = event.episodes + event.skipped
            if event.resumed:
                bar.initial += scenes
                bar.n += scenes
            else:
                frames += event.frames
                bar.update(scenes)
            rate = frames / max(bar.format_dict["elapsed"], 1e-3)
            bar.set_postfix_str(
                f"success {succeeded}/{recorded}, {rate:.0f} frames/s", refresh=False
            )

        result = generate(args.output, config, EMBEDDED_CELL, make_recorder, args.workers, report)
        bar.n = total
    print(
        f"{args.output}: {result.kept} episodes, {result.frames} frames kept of "
        f"{result.recorded} recorded; {result.succeeded} fulfilled their task"
    )
    return 0


def _tasks(args: argparse.Namespace) -> tuple[str, ...]:
    """Names of the tasks to record, checked."""
    from ..cell.tasks import find_task, task_names
    from ..data.generation_plan import RANDOM_MOTION
    from ..errors import UserError

    if args.episodes < 1 or args.workers < 1:
        raise UserError("--episodes and --workers must be at least 1")
    if not args.takeover_latency_ms >= 0:
        raise UserError("--takeover-latency-ms must not be negative")
    if not 0 < args.takeover_between[0] <= args.takeover_between[1] < math.inf:
        raise UserError("--takeover-between needs two times, 0 < the first <= the second")
    if args.random_motion:
        if args.task:
            raise UserError("--random-motion records no task: leave --task out")
        if args.takeover_from is not None:
            raise UserError("--takeover-from needs a task, --random-motion has none")
        return (RANDOM_MOTION,)
    names = tuple(name for name in args.task.split(",") if name)
    if not names:
        raise UserError(
            f"--task is missing: one or more of {','.join(task_names())}, or --random-motion"
        )
    for name in names:
        find_task(name)
    return names


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt

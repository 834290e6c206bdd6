"""`python -m dva_ros generate`: record episodes of the simulated cell into a LeRobot dataset."""

from __future__ import annotations

import argparse
import math
import signal
from functools import partial
from pathlib import Path
from types import FrameType

from ..renamed_options import add_deprecated_name

INTERVENTION_LATENCY_MS = 250.0
INTERVENTION_BETWEEN_S = (0.4, 6.0)
SUMMARY = "record expert or random-motion episodes of the simulated cell as a LeRobot dataset"


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
    option = parser.add_argument(
        "--intervention-from",
        type=Path,
        metavar="MODELS",
        help="let these checkpoints drive for a random while before the expert takes over, so "
        "that it shows how to recover from the models' own mistakes (DAgger)",
    )
    add_deprecated_name(parser, option, "--takeover-from")
    option = parser.add_argument(
        "--intervention-latency-ms",
        type=float,
        default=INTERVENTION_LATENCY_MS,
        metavar="MS",
        help="modelled latency while the checkpoints drive (%(default)g); a slow machine's makes "
        "other mistakes",
    )
    add_deprecated_name(parser, option, "--takeover-latency-ms")
    option = parser.add_argument(
        "--intervention-between",
        type=float,
        nargs=2,
        default=INTERVENTION_BETWEEN_S,
        metavar="S",
        help="seconds into the scene between which the expert takes over (0.4 6); scenes that the "
        "models have finished by then are left out: late interventions show what they cannot do",
    )
    add_deprecated_name(parser, option, "--takeover-between")
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
    from ..evaluation.intervention import InterventionRecorder
    from ..spec import EMBEDDED_CELL

    config = GenerationConfig(
        tasks=_tasks(args),
        episodes=args.episodes,
        seed=args.seed,
        split=args.split,
        perturb=not args.no_perturbation,
        keep_failures=args.keep_failures,
        policy="" if args.intervention_from is None else str(args.intervention_from),
        policy_latency_ms=0.0 if args.intervention_from is None else args.intervention_latency_ms,
        intervention_from_s=args.intervention_between[0],
        intervention_until_s=args.intervention_between[1],
    )
    make_recorder: RecorderFactory = CellRecorder
    if args.intervention_from is not None:
        make_recorder = partial(
            InterventionRecorder,
            args.intervention_from,
            args.intervention_latency_ms / 1000,
            tuple(args.intervention_between),
        )
    total = len(config.tasks) * config.episodes
    frames = succeeded = recorded = 0
    signal.signal(signal.SIGTERM, _interrupt)
    with tqdm(total=total, unit="episode", smoothing=0.05, disable=None) as bar:

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
    if not args.intervention_latency_ms >= 0:
        raise UserError("--intervention-latency-ms must not be negative")
    if not 0 < args.intervention_between[0] <= args.intervention_between[1] < math.inf:
        raise UserError("--intervention-between needs two times, 0 < the first <= the second")
    if args.random_motion:
        if args.task:
            raise UserError("--random-motion records no task: leave --task out")
        if args.intervention_from is not None:
            raise UserError("--intervention-from needs a task, --random-motion has none")
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

"""`train video`: train the causal video model on recorded episodes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dva_ros.video.config import VideoModelConfig

    from ..data.store import EpisodeStore
    from .data_parallel import Group
    from .video_settings import VideoSettings

_LOG_STEPS = 10
_EXCLUDED_TASK = "random_motion"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--data", required=True, help="dataset folders, separated by commas")
    parser.add_argument("--output", type=Path, required=True, help="the run's folder")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="length of the run in wall time")
    length.add_argument("--steps", type=int, help="length of the run in steps")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --output")
    parser.add_argument("--init", type=Path, help="checkpoint folder whose weights to start from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ranks", type=int, help="processes; one for each core by default")
    parser.add_argument("--batch", type=int, default=2, help="sequences per process and step")
    parser.add_argument("--frames", type=int, default=48, help="real frames of a sequence")
    parser.add_argument("--stride", type=int, default=4, help="frames between its clips")
    parser.add_argument("--context-frames", type=int, default=48, help="attention window")
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument(
        "--patch-margin", type=int, default=8, help="pixels around its patch that a token sees"
    )
    parser.add_argument(
        "--stem-width",
        type=int,
        default=32,
        help="features of the first convolution over a real frame; 0 for no convolutions",
    )
    parser.add_argument("--muon-lr", type=float, default=0.02)
    parser.add_argument("--adam-lr", type=float, default=1e-3)
    parser.add_argument("--ema", type=float, default=0.999, help="decay of the averaged weights")
    parser.add_argument(
        "--motion-weight", type=float, default=0.02, help="of the auxiliary motion readout's error"
    )
    parser.add_argument(
        "--emphasis",
        default="",
        help="WORD=FACTOR,...: draw episodes whose instruction has the word so many times as "
        "often; for what evaluation shows to be weak",
    )
    parser.add_argument(
        "--distill",
        type=int,
        default=0,
        metavar="STEPS",
        help="learn to give in one denoising step what the checkpoint of --init gives in STEPS",
    )
    parser.add_argument(
        "--temperature",
        type=float,
        help="standard deviation of the noise that the checkpoint's clips are sampled from, not "
        "of the noise it learns from: 1 (a new checkpoint's) draws from all that it thinks "
        "possible, 0 always gives the same answer, near their mean",
    )
    parser.add_argument(
        "--block-sparse",
        action="store_true",
        help="attention over time by FlexAttention; for long sequences on a GPU",
    )
    parser.add_argument("--validate-minutes", type=float, default=5.0)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


@dataclass(frozen=True)
class VideoJob:
    """What every rank needs."""

    config: VideoModelConfig
    settings: VideoSettings
    train: EpisodeStore
    validation: EpisodeStore


def run(args: argparse.Namespace) -> int:
    """Open the data, start the ranks and wait for them."""
    from .data_parallel import launch

    job = prepare(args)
    settings = job.settings
    episodes, frames = len(job.train), int(job.train.lengths.sum())
    print(f"training on {episodes} episodes ({frames} frames), {settings.ranks} process(es)")
    launch(settings.ranks, train_rank, job)
    print(f"checkpoint, {settings.output}/loss.png and contact_sheet.png are in place")
    return 0


def train_rank(group: Group, job: VideoJob) -> None:
    """The loop of one rank. Rank 0 keeps the time, reports, validates and saves."""
    import torch
    import torch.distributed as dist
    from tqdm import tqdm

    from .data_parallel import StopSignal
    from .utilisation import Utilisation
    from .video_card import record_command
    from .video_report import METRICS_COLUMNS, METRICS_FILE, append_row
    from .video_trainer import Clock, VideoTrainer

    settings, is_first = job.settings, group.rank == 0
    stop = StopSignal().install()
    trainer = VideoTrainer(job.config, settings, job.train, job.validation, group)
    clock = Clock(trainer.elapsed_s)
    operations = trainer.operations_per_step
    used = Utilisation(operations, trainer.dtype, settings.device) if is_first else None
    if is_first:
        record_command(settings.output, trainer.step)
    bar = tqdm(
        total=100.0,
        desc="video",
        disable=not is_first,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        mininterval=1.0 if sys.stderr.isatty() else 30.0,
    )
    shown, held_out, logged = "", "", (trainer.step, time.monotonic())
    while True:
        trainer.elapsed_s = clock.now()
        progress = settings.progress(trainer.step, trainer.elapsed_s)
        control = torch.tensor([progress, float(stop.received)])
        if group.size > 1:
            dist.broadcast(control, 0)
        progress = float(control[0])
        if progress >= 1 or control[1]:
            break
        with used.step() if used is not None else nullcontext():
            result = trainer.train_step(progress)
        if used is None:
            continue
        if trainer.step % _LOG_STEPS == 0:
            now = time.monotonic()
            rate = (trainer.step - logged[0]) * trainer.frames_per_step / (now - logged[1])
            logged = (trainer.step, now)
            row = (
                trainer.step,
                trainer.elapsed_s,
                result.loss,
                settings.lr_factor(trainer.step, progress),
                result.grad_norm,
                rate,
            )
            append_row(settings.output / METRICS_FILE, METRICS_COLUMNS, row)
            shown = f" step {trainer.step} loss {result.loss:.4f} {rate:.0f} frames/s"
            shown += f" {used.of_ceiling:.0%} MFU data {used.waiting(trainer.waited_s):.1%}"
        bar.set_postfix_str(shown + held_out, refresh=False)
        bar.update(100 * progress - bar.n)
        if clock.is_due("validate", settings.validate_s):
            held_out = f" held-out {trainer.validate().by_level[0]:.5f}"
        if clock.is_due("save", settings.save_s):
            trainer.save()
    if used is not None:
        trainer.save()
        trainer.validate()
        bar.close()
        print(used.describe(trainer.waited_s))


def parse_emphasis(text: str) -> dict[str, float]:
    """``WORD=FACTOR,...`` as a mapping; raises UserError where it is something else."""
    from dva_ros.errors import UserError

    found = {}
    for part in filter(None, text.split(",")):
        word, _, factor = part.partition("=")
        try:
            found[word.lower()] = float(factor)
        except ValueError:
            raise UserError(f"--emphasis takes WORD=FACTOR, got '{part}'") from None
        if not 0 < found[word.lower()] < float("inf"):
            raise UserError(f"--emphasis: the factor of '{word}' must be greater than 0")
    return found


def prepare(args: argparse.Namespace) -> VideoJob:
    """What the command's options ask for, with the data opened.

    Raises:
        UserError: options that do not go together, or data that cannot be used.
    """
    import numpy as np
    import torch

    from dva_ros.errors import UserError
    from dva_ros.video.checkpoint import load_config
    from dva_ros.video.config import VideoModelConfig

    from ..data.dataset_spec import common_spec
    from ..data.store import EpisodeStore
    from .optimizer import OptimizerConfig
    from .video_settings import VideoSettings
    from .video_state import STATE_FILE, load_state

    has_state = (args.output / STATE_FILE).exists()
    if has_state and not args.resume:
        raise UserError(f"{args.output} holds a run: add --resume or choose another --output")
    if args.temperature is not None and not 0 <= args.temperature <= 1:
        raise UserError(f"--temperature must lie between 0 and 1, got {args.temperature}")
    if args.distill < 0 or (args.distill and args.init is None):
        raise UserError("--distill takes the teacher's steps and needs --init, the teacher")
    roots = [Path(part) for part in args.data.split(",")]
    spec = common_spec(roots)
    known = load_state(args.output).config if args.resume else None
    if known is None and args.init is not None:
        known = load_config(args.init)
    if known is not None:
        known.spec.require_equal(spec, "the checkpoint", "the data")
    args.output.mkdir(parents=True, exist_ok=True)
    store = EpisodeStore.open(roots, spec)
    chosen = [
        number
        for number, task in enumerate(store.tasks)
        if task != _EXCLUDED_TASK and store.success[number]
    ]
    train, validation = store.select(chosen).split(0.05)
    if known is not None and args.resume:
        config = known
    elif known is not None:
        config = replace(known, patch_margin=args.patch_margin, stem_width=args.stem_width)
        if args.distill:
            config = replace(config, num_steps=1)
    else:
        rows = np.concatenate(
            [np.arange(s, s + n) for s, n in zip(train.starts, train.lengths, strict=True)]
        )
        state = store.state[rows].astype(np.float64)
        try:
            config = VideoModelConfig(
                spec=spec,
                state_mean=tuple(state.mean(0).tolist()),
                state_std=tuple(np.maximum(state.std(0), 1e-3).tolist()),
                width=args.width,
                depth=args.depth,
                heads=args.heads,
                context_frames=args.context_frames,
                patch_margin=args.patch_margin,
                stem_width=args.stem_width,
            )
        except ValueError as error:
            raise UserError(f"options and data give no video model: {error}") from error
    if args.temperature is not None:
        config = replace(config, temperature=args.temperature)
    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if args.block_sparse and device == "cpu":
        raise UserError("--block-sparse needs a GPU: torch gives its gradients nowhere else")
    settings = VideoSettings(
        output=args.output,
        steps=args.steps,
        minutes=args.minutes,
        ranks=1 if device == "cuda" else args.ranks or min(4, os.cpu_count() or 1),
        batch=args.batch,
        num_real=args.frames,
        stride=args.stride,
        seed=args.seed,
        validate_s=60 * args.validate_minutes,
        motion_weight=args.motion_weight,
        emphasis=parse_emphasis(args.emphasis),
        device=device,
        initial=args.init,
        distill_steps=args.distill,
        block_sparse=args.block_sparse,
        resume=args.resume,
        optimizer=OptimizerConfig(muon_lr=args.muon_lr, adam_lr=args.adam_lr, ema_decay=args.ema),
    )
    return VideoJob(config, settings, train, validation)

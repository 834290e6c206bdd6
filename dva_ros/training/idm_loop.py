"""``python -m dva_ros train idm``: arguments and the start of the ranks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError

if TYPE_CHECKING:
    from .idm_settings import IdmSettings

DEFAULT_MINUTES = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `run`."""
    parser.add_argument(
        "--data", required=True, help="dataset folders of any motion, separated by commas"
    )
    parser.add_argument("--output", type=Path, required=True, help="the run's folder")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes", type=float, help=f"wall time in all (default: {DEFAULT_MINUTES:g})"
    )
    length.add_argument("--steps", type=int, help="optimiser steps in all, instead of minutes")
    parser.add_argument("--batch", type=int, default=16, help="windows per rank and step")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument(
        "--ranks", type=int, default=1, help="single-threaded processes (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validate-every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument(
        "--predicted-by",
        type=Path,
        metavar="CHECKPOINT",
        help="video checkpoint whose imagined clips are mixed in",
    )
    parser.add_argument("--predicted-clips", type=int, default=2000)
    parser.add_argument("--predicted-share", type=float, default=0.5)
    add_description_arguments(parser)
    parser.add_argument("--resume", action="store_true", help="go on with the run in --output")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def add_description_arguments(parser: argparse.ArgumentParser) -> None:
    """The robot whose end effectors the errors are of."""
    parser.add_argument(
        "--urdf",
        type=Path,
        help="URDF or xacro of the robot, for errors of the end effectors; without it joints "
        "only, but for the simulated cell",
    )
    parser.add_argument(
        "--tip-links",
        type=lambda text: tuple(filter(None, text.split(","))),
        default=(),
        metavar="LINK,...",
        help="ends of the arms in the URDF; by default found by their names",
    )


def run(args: argparse.Namespace) -> int:
    """Imagine clips where asked, train, export."""
    settings = _settings(args)
    from .data_parallel import launch
    from .idm_run import train_rank

    if settings.predicted_by is not None:
        _imagine_clips(settings)
    launch(settings.ranks, train_rank, settings)
    return 0


def _settings(args: argparse.Namespace) -> IdmSettings:
    import torch

    from .idm_settings import IdmSettings
    from .idm_trainer import STATE_FILE

    minutes = args.minutes
    if args.steps is None and minutes is None:
        minutes = DEFAULT_MINUTES
    for name, value in (
        ("--minutes", minutes),
        ("--steps", args.steps),
        ("--batch", args.batch),
        ("--ranks", args.ranks),
        ("--learning-rate", args.learning_rate),
        ("--predicted-clips", args.predicted_clips),
    ):
        if value is not None and not value > 0:
            raise UserError(f"{name} must be positive, got {value}")
    if not 0 <= args.predicted_share <= 1:
        raise UserError(f"--predicted-share must lie in 0..1, got {args.predicted_share}")
    has_state = (args.output / STATE_FILE).exists()
    if has_state and not args.resume:
        raise UserError(f"{args.output} holds a run: add --resume or choose another --output")
    if args.resume and not has_state:
        raise UserError(f"{args.output} holds no run to resume")
    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return IdmSettings(
        data=tuple(Path(part) for part in args.data.split(",")),
        output=args.output,
        minutes=minutes,
        steps=args.steps,
        batch=args.batch,
        learning_rate=args.learning_rate,
        ranks=1 if device == "cuda" else args.ranks,
        seed=args.seed,
        validate_every_s=args.validate_every,
        predicted_by=args.predicted_by,
        predicted_clips=args.predicted_clips,
        predicted_share=args.predicted_share,
        resume=args.resume,
        device=device,
        urdf=args.urdf,
        tip_links=args.tip_links,
    )


def _imagine_clips(settings: IdmSettings) -> None:
    """Let the video model imagine the training clips, before the ranks start."""
    from ..data.dataset_spec import common_spec
    from ..data.store import EpisodeStore
    from ..video.predictor import VideoPredictor
    from .idm_run import CLIPS_FOLDER, config_for
    from .predicted_clips import PredictedClips

    assert settings.predicted_by is not None
    predictor = VideoPredictor.load(settings.predicted_by, seed=settings.seed, threads=1)
    spec = common_spec(settings.data)
    predictor.config.spec.require_equal(spec, str(settings.predicted_by), "the data")
    store = EpisodeStore.open(settings.data, spec)
    weights = settings.predicted_by / "model.safetensors"
    PredictedClips.generate(
        settings.output / CLIPS_FOLDER,
        predictor,
        {
            "checkpoint": f"{weights.resolve()} {weights.stat().st_mtime_ns}",
            "data": " ".join(str(root.resolve()) for root in settings.data),
        },
        store.split(settings.validation_fraction)[0],
        config_for(spec).horizon,
        predictor.config.max_committed,
        settings.predicted_clips,
        settings.seed,
    )

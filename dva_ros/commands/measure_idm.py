"""How far decoded commands are from the true ones, on real and on imagined clips."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..training.idm_loop import add_description_arguments

SUMMARY = "measure the inverse dynamics model's error on real and imagined clips"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("--model", default="cpu/inverse_dynamics", help="checkpoint folder")
    parser.add_argument("--video", help="video checkpoint: measure on its clips, too")
    parser.add_argument(
        "--data", type=Path, nargs="+", help="datasets, instead of newly recorded scenes"
    )
    parser.add_argument(
        "--held-out", action="store_true", help="of --data, only what training holds out"
    )
    parser.add_argument(
        "--task", default="pick_place,lift", help="of new scenes, by comma; also random_motion"
    )
    parser.add_argument("--episodes", type=int, default=10, help="new scenes of each task")
    parser.add_argument("--seed", type=int, default=0, help="first scene; also of the imagination")
    parser.add_argument("--split", default="validation", choices=("train", "validation", "test"))
    parser.add_argument("--clips", type=int, default=256, help="clips of each kind, at most")
    parser.add_argument("--committed", type=int, default=3, help="committed frames d")
    parser.add_argument("--num-steps", type=int, help="denoising steps of the video model")
    add_description_arguments(parser)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the numbers here")
    parser.add_argument(
        "--update-card", action="store_true", help="put the numbers into the checkpoint's card"
    )


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    import json

    from ..data.dataset_spec import common_spec
    from ..data.store import EpisodeStore
    from ..errors import UserError
    from ..inverse_dynamics.checkpoint import CARD_FILE
    from ..inverse_dynamics.decoder import InverseDynamics
    from ..resources import model_path
    from ..spec import EMBEDDED_CELL
    from ..training.end_effector import end_effectors_of
    from ..training.idm_card import accuracy_table, with_accuracy
    from ..training.idm_measure import imagined_accuracy, real_accuracy, record_scenes

    folder = model_path(args.model)
    model = InverseDynamics.load(folder, threads=args.threads)
    spec = common_spec(args.data) if args.data else EMBEDDED_CELL
    model.config.spec.require_equal(
        spec, str(folder), "the data" if args.data else "the simulated cell (or give --data)"
    )
    effectors = end_effectors_of(spec, args.urdf, args.tip_links)
    predictor = None
    if args.video is not None:
        from ..video.predictor import VideoPredictor

        predictor = VideoPredictor.load(
            model_path(args.video), num_steps=args.num_steps, seed=args.seed
        )
        if args.committed > predictor.config.max_committed:
            raise UserError(
                f"--committed is {args.committed}, the video model takes at most "
                f"{predictor.config.max_committed}"
            )
    if args.data:
        store = EpisodeStore.open(args.data, spec)
        if args.held_out:
            store = store.split()[1]
    else:
        seeds = range(args.seed, args.seed + args.episodes)
        store = record_scenes(args.task.split(","), seeds, args.split)
    rows = {"real": real_accuracy(model, store, args.clips, effectors)}
    if predictor is not None:
        name = f"imagined, {args.committed} committed"
        rows[name] = imagined_accuracy(
            model, predictor, store, args.clips, args.committed, args.seed, effectors
        )
    print(accuracy_table(rows))
    if args.json is not None:
        args.json.write_text(json.dumps({k: v.to_dict() for k, v in rows.items()}, indent=2))
    if args.update_card:
        card = folder / CARD_FILE
        card.write_text(with_accuracy(card.read_text(), rows))
        print(f"card: {card}")
    return 0

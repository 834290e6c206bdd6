"""`python -m dva_ros inspect`: what a dataset holds, as a table and as pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..data.lerobot_reader import EpisodeEntry, LeRobotDataset

SUMMARY = "show what a dataset holds: a table, and a contact sheet of random episodes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("dataset", type=Path, help="folder of a LeRobot dataset")
    parser.add_argument("--pictures", type=int, default=8, help="episodes on the contact sheet")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other episodes")
    parser.add_argument(
        "--output", type=Path, help="the contact sheet; DATASET/contact_sheet.png by default"
    )


def run(args: argparse.Namespace) -> int:
    """Print the table and write the contact sheet."""
    import cv2
    import numpy as np

    from ..data.contact_sheet import episode_sheet
    from ..data.dataset_spec import dataset_spec
    from ..data.lerobot_reader import DamagedEpisode, LeRobotDataset

    dataset = LeRobotDataset(args.dataset, dataset_spec(args.dataset))
    _print_table(dataset)
    count = min(args.pictures, len(dataset.entries))
    drawn = np.random.default_rng(args.seed).choice(len(dataset.entries), count, replace=False)
    episodes = []
    for episode in dataset.read([dataset.entries[number] for number in sorted(drawn)]):
        if isinstance(episode, DamagedEpisode):
            print(f"damaged: {episode}")
        else:
            episodes.append(episode)
    if not episodes:
        return 1
    path = args.output or args.dataset / "contact_sheet.png"
    sheet = episode_sheet(episodes, dataset.spec)
    cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    print(f"contact sheet: {path}")
    return 0


def _print_table(dataset: LeRobotDataset) -> None:
    spec, period = dataset.spec, dataset.spec.frame_period_s
    size = sum(path.stat().st_size for path in dataset.root.glob("[dmv]*/**/*") if path.is_file())
    print(
        f"{dataset.root}: {len(dataset.entries)} episodes, {dataset.num_frames} frames "
        f"({dataset.num_frames * period / 60:.1f} min), {size / 1e6:.1f} MB"
    )
    cameras = ", ".join(f"{c.name} {c.width}x{c.height}" for c in spec.cameras)
    grippers = ", ".join(spec.gripper_joints) or "none"
    print(f"cell: cameras {cameras} (as the model sees them), {1 / period:g} Hz")
    print(f"  {spec.num_joints} joints: {', '.join(spec.joint_names)}; grippers: {grippers}")
    print(f"{'task':<16}{'split':<12}{'episodes':>9}{'success':>9}{'frames':>9}  duration s")
    tasks: dict[tuple[str, str], list[EpisodeEntry]] = {}
    for entry in dataset.entries:
        tasks.setdefault((entry.task, entry.split), []).append(entry)
    for (task, split), entries in sorted(tasks.items()):
        lengths = [entry.length for entry in entries]
        success = sum(entry.success for entry in entries) / len(entries)
        print(
            f"{task:<16}{split:<12}{len(entries):>9}{success:>9.1%}{sum(lengths):>9}  "
            f"{min(lengths) * period:.1f}..{max(lengths) * period:.1f}, "
            f"mean {sum(lengths) / len(lengths) * period:.1f}"
        )

"""``python -m dva_ros tasks``: what the simulated cell can be asked to do, with pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cell.task import Task

SUMMARY = "list the tasks of the simulated cell, with a picture of an episode each"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--task", default="", help="some of them, by comma; also package.module:Task"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the episode in the picture")
    parser.add_argument(
        "--output", type=Path, default=Path("outputs/tasks"), help="folder of the pictures"
    )
    parser.add_argument("--no-pictures", action="store_true", help="print the table only")


def run(args: argparse.Namespace) -> int:
    """Print the table and write a contact sheet of the expert's episode for each task."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from tqdm import tqdm

    from ..cell.tasks import find_task, task_names

    names = [name for name in args.task.split(",") if name] or list(task_names())
    tasks = [find_task(name) for name in names]
    table = Table("task", "instruction, for example", "success", box=SIMPLE_HEAD)
    for name, task in zip(names, tasks, strict=True):
        table.add_row(name, task.scene(args.seed, "validation").instruction, task.summary)
    Console().print(table)
    if not args.no_pictures:
        args.output.mkdir(parents=True, exist_ok=True)
        for task in tqdm(tasks, unit="task", leave=False, disable=None):
            tqdm.write(str(_picture(task, args.seed, args.output)))
    return 0


def _picture(task: Task, seed: int, folder: Path) -> Path:
    import cv2

    from ..cell.simulation import Cell
    from ..data.cell_episodes import record_episode
    from ..data.contact_sheet import episode_sheet

    cell = Cell()
    episode = record_episode(cell, task, seed, "validation", perturb=False)
    cell.close()
    path = folder / f"{task.name}.png"
    cv2.imwrite(str(path), episode_sheet([episode], cell.spec)[:, :, ::-1])
    return path

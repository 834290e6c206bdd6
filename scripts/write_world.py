"""Writes a task's Gazebo world from the MuJoCo model: python scripts/write_world.py [--task T]"""

import argparse
from pathlib import Path

from dva_ros.cell.gazebo_world import cell_world
from dva_ros.cell.tasks import find_task
from dva_ros.resources import share_root

FIRST_TASK = "pick_place"

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default=FIRST_TASK, help="a task, or package.module:Task")
    parser.add_argument("--seed", type=int, default=0, help="of the scene; its training split")
    parser.add_argument("--output", type=Path, help="default: worlds/TASK.sdf, or cell.sdf")
    args = parser.parse_args()
    task = find_task(args.task)
    name = "cell" if args.task == FIRST_TASK else task.name
    path = args.output or share_root() / "worlds" / f"{name}.sdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(cell_world(task.scene(args.seed, "train").props), encoding="utf-8")
    print(path)

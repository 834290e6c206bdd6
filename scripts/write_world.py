"""Writes worlds/cell.sdf from the MuJoCo model: python scripts/write_world.py"""

from dva_ros.cell.world import cell_world
from dva_ros.resources import share_root

if __name__ == "__main__":
    path = share_root() / "worlds" / "cell.sdf"
    path.parent.mkdir(exist_ok=True)
    path.write_text(cell_world(), encoding="utf-8")
    print(path)

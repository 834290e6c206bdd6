"""The rooms of the package, and the direction in which they import each other."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "dva_ros"

ROOMS = (
    "shared",
    "robot",
    "context",
    "video",
    "inverse_dynamics",
    "compute",
    "leapfrog",
    "cell",
    "data",
    "recordings",
    "training",
    "evaluation",
    "benchmark",
    "faults",
    "ros",
    "nodes",
    "bringup",
    "recordings.client",
    "evaluation.client",
    "benchmark.client",
    "faults.client",
    "new_cell",
    "doctor",
    "reference",
    "commands",
)
"""From those that know no other to those that know all: a room imports itself and those before it.

`shared` are the files directly in the package. ``<room>/client`` talks to the running graph.
"""

SEPARATE = (("video", "leapfrog"), ("inverse_dynamics", "leapfrog"))
"""Pairs that do not import each other in either direction."""

ROS_PACKAGES = {
    "builtin_interfaces", "control_msgs", "diagnostic_msgs", "dva_msgs", "geometry_msgs",
    "lifecycle_msgs", "rclpy", "rosgraph_msgs", "sensor_msgs", "std_msgs", "std_srvs",
    "trajectory_msgs", "visualization_msgs",
}  # fmt: skip
LARGEST_SHARE = 1 / 6
LONGEST_FILE = 400


def room_of(module: str) -> str:
    """The room of a module; modules are named without the package."""
    folders = module.split(".")
    if folders[0] == "__main__":
        return "commands"
    if folders[0] not in ROOMS:
        return "shared"
    client = ".".join(folders[:2])
    return client if client in ROOMS else folders[0]


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Every module below `package` and its file; a package has its folder's name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        folders = path.relative_to(package).with_suffix("").parts
        found[".".join(folders[:-1] if folders[-1] == "__init__" else folders)] = path
    return found


def imports(
    module: str, known: dict[str, Path], statements: Iterator[ast.AST] | list[ast.stmt]
) -> Iterator[str]:
    """Modules that these statements import: our own without the package's name, others as is."""
    folders = module.split(".") if module else []
    if known[module].name != "__init__.py":
        folders = folders[:-1]
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            target = node.module or ""
            if node.level:
                base = folders[: len(folders) - node.level + 1]
                target = ".".join([*base, *filter(None, [node.module])])
            elif target.split(".")[0] == PACKAGE.name:
                target = target.partition(".")[2]
            for alias in node.names:
                inner = f"{target}.{alias.name}".strip(".")
                yield inner if inner in known else target


def forbidden_imports(package: Path = PACKAGE) -> list[str]:
    """Imports against the order, and imports of ROS before `ros`, in words.

    Imports inside functions count as well.
    """
    known = modules(package)
    found = []
    for module, path in known.items():
        own = room_of(module)
        for target in set(imports(module, known, ast.walk(ast.parse(path.read_text())))):
            if target in known:
                other = room_of(target)
                if ROOMS.index(other) > ROOMS.index(own):
                    found.append(f"{module} imports {target}: {other} comes after {own}")
                if (own, other) in SEPARATE or (other, own) in SEPARATE:
                    found.append(f"{module} imports {target}: the rooms are separate")
            elif target.split(".")[0] in ROS_PACKAGES and ROOMS.index(own) < ROOMS.index("ros"):
                found.append(f"{module} imports {target}: {own} is free of ROS")
    return sorted(found)


def test_a_room_imports_itself_and_earlier_rooms_only() -> None:
    """Among others: no core room imports ROS, and nothing of the product the benchmark."""
    assert forbidden_imports() == []


@pytest.mark.parametrize(
    "statement, reason",
    [
        ("from ..nodes import cell", "nodes comes after video"),
        ("def late():\n    from ..training.video_loop import run", "training comes after video"),
        ("import rclpy", "video is free of ROS"),
        ("from ..leapfrog.limits import JointLimits", "comes after"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, statement: str, reason: str) -> None:
    """Whether at the top of a file or inside a function."""
    for module, path in modules().items():
        copy = tmp_path / PACKAGE.name / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text() + (f"\n{statement}\n" if module == "video.model" else ""))
    found = forbidden_imports(tmp_path / PACKAGE.name)
    assert found and all(line.startswith("video.model imports") for line in found)
    assert any(reason in line for line in found)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """At the top of their files; a loop there depends on which one is imported first."""
    known = modules()
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
    for module, path in known.items():
        targets = imports(module, known, ast.parse(path.read_text()).body)
        sorter.add(module, *(one for one in targets if one in known and one not in (module, "")))
    sorter.prepare()  # raises CycleError, which names them


def test_no_room_is_larger_than_a_sixth_of_the_package() -> None:
    """A room that grows beyond it holds more than its name says."""
    lines: dict[str, int] = {}
    for module, path in modules().items():
        room = room_of(module).split(".")[0]
        lines[room] = lines.get(room, 0) + len(path.read_text().splitlines())
    limit = LARGEST_SHARE * sum(lines.values())
    assert {room: count for room, count in lines.items() if count > limit} == {}


def test_no_file_is_longer_than_400_lines() -> None:
    """One file, one idea."""
    lengths = {m: len(path.read_text().splitlines()) for m, path in modules().items()}
    assert {module: count for module, count in lengths.items() if count > LONGEST_FILE} == {}

"""The ROS package's files agree with each other and with what is imported."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROS_MODULES = re.compile(r"^(rclpy|launch|launch_ros|xacro|\w+_(msgs|srvs|interfaces))$")
ROSDEP = {"cv2": "python3-opencv", "yaml": "python3-yaml"} | {
    name: f"python3-{name}" for name in ("numpy", "matplotlib", "rich", "tqdm")
}


def manifest(path: str) -> ET.Element:
    return ET.parse(ROOT / path).getroot()


def imported_modules(*folders: str) -> set[str]:
    """Top-level modules that the Python files below `folders` import."""
    found = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    found.add(node.module.partition(".")[0])
    return found


def test_package_xml_names_every_ros_package_that_is_imported() -> None:
    declared = {element.text for element in manifest("package.xml").iter("exec_depend")}
    imported = {m for m in imported_modules("dva_ros", "launch") if ROS_MODULES.match(m)}
    assert imported - declared == set()


def test_package_xml_names_the_rosdep_keys_of_what_is_imported() -> None:
    declared = {element.text for element in manifest("package.xml").iter("exec_depend")}
    imported = imported_modules("dva_ros", "launch")
    assert {key for module, key in ROSDEP.items() if module in imported} - declared == set()


def test_every_package_that_is_imported_is_pinned() -> None:
    names = {"cv2": "opencv-python-headless", "yaml": "pyyaml"}
    files = (ROOT / "requirements/core.txt", ROOT / "requirements/rosdep.txt")
    lines = [line for file in files for line in file.read_text().splitlines()]
    pinned = {line.partition("==")[0].lower() for line in lines if "==" in line}
    third_party = {
        "av", "cv2", "lz4", "matplotlib", "mcap", "mujoco", "numpy", "pyarrow", "rich", "rosbags",
        "safetensors", "scipy", "torch", "tqdm", "xacro", "yaml", "zstandard",
    }  # fmt: skip
    used = imported_modules("dva_ros", "launch") & third_party
    assert {names.get(module, module) for module in used} - pinned == set()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.name
)
def test_requirements_are_pinned_exactly(path: Path) -> None:
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            assert re.match(r"^[\w-]+==[\w.+]+(; .+)?$", line), line


def test_both_packages_have_the_same_version() -> None:
    versions = {manifest(p).findtext("version") for p in ("package.xml", "dva_msgs/package.xml")}
    assert len(versions) == 1
    assert f'version="{versions.pop()}"' in (ROOT / "setup.py").read_text()


def test_entry_points_are_nodes_with_a_main() -> None:
    setup = ast.parse((ROOT / "setup.py").read_text())
    assignments = {
        node.targets[0].id: node.value
        for node in setup.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    nodes = ast.literal_eval(assignments["NODES"])
    assert "leapfrog_scheduler" in nodes
    for node in nodes:
        tree = ast.parse((ROOT / f"dva_ros/nodes/{node}.py").read_text())
        assert "main" in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}, node


def test_colcon_finds_both_packages_at_the_root() -> None:
    defaults = yaml.safe_load((ROOT / "colcon_defaults.yaml").read_text())
    for verb in ("list", "build", "test"):
        assert defaults[verb]["base-paths"] == [".", "dva_msgs"]


def test_interfaces_declare_the_packages_of_their_fields() -> None:
    declared = {element.text for element in manifest("dva_msgs/package.xml").iter("depend")}
    used = set()
    for path in (ROOT / "dva_msgs").glob("*/*.*"):
        if path.suffix in {".msg", ".srv", ".action"}:
            used |= set(re.findall(r"^(\w+)/\w+", path.read_text(), re.M))
    assert used - {"dva_msgs"} <= declared

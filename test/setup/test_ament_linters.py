"""ROS's own linters, where they are installed; ruff and mypy (`make lint`) run everywhere.

ament_copyright and ament_pep257 are not run: the copyright is stated once, in NOTICE, and
docstrings have Google's form, which ament_pep257 does not know.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATHS = ("dva_ros", "launch", "setup.py")


def run(program: str, *arguments: str) -> None:
    """Run a linter; its output is the failure's."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: it comes with a ROS 2 installation")
    done = subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    if "failed to load external entity" in output:
        pytest.skip(f"{program} needs the network, for the schema of package.xml")
    assert done.returncode == 0, output


def test_ament_flake8_with_the_projects_rules() -> None:
    """Its own configuration wants single quotes and another order of imports; ruff decides."""
    run("ament_flake8", "--config", "test/data/flake8.ini", *PATHS)


def test_ament_xmllint_of_the_manifests() -> None:
    run("ament_xmllint", "package.xml", "dva_msgs/package.xml")


def test_ament_lint_cmake_of_the_messages() -> None:
    run("ament_lint_cmake", "dva_msgs")

"""Where LeRobot's own dataset reader is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run_lerobot(program: str, dataset: Path) -> str:
    """Run a program in which LeRobot's reader is imported, offline; its output.

    Args:
        program: its text; ``sys.argv[1]`` is the dataset.
        dataset: its folder.
    """
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(dataset.parent / "hf")}
    command = [lerobot_python(), "-c", program, str(dataset)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def lerobot_python() -> str:
    """The Python that has LeRobot's reader; skips where none has."""
    other = os.environ.get("DVA_LEROBOT_PYTHON", "")
    if other:
        return other
    if any(importlib.util.find_spec(name) is None for name in ("ledataset", "torchvision")):
        pytest.skip(
            "lerobot-dataset is missing: install lerobot-dataset==0.4.4 and torchvision==0.23.0 "
            "into an environment of its own and name its Python in DVA_LEROBOT_PYTHON"
        )
    return sys.executable

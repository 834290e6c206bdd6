"""Where LeRobot's own dataset reader is installed."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest


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

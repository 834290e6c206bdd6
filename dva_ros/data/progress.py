"""Progress bars that move on a terminal and stay short in a log."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

LOG_INTERVAL_S = 30.0


def progress_bar(iterable: Any = None, **kwargs: Any) -> Any:
    """A `tqdm.tqdm` that writes at most twice a minute when the output is not a terminal."""
    interval = 0.5 if sys.stderr.isatty() else LOG_INTERVAL_S
    return tqdm(iterable, mininterval=interval, **kwargs)

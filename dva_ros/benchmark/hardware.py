"""On what was measured."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

_PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Hardware:
    """The machine and the versions.

    Attributes:
        cores: that this process may use.
        threads: of torch in this process.
        dtype: of the video model's weights and activations.
        load: processes that were running or waiting at the beginning, mean of a minute; more
            than a little means that others were using the machine.
    """

    processor: str
    cores: int
    threads: int
    dtype: str
    load: float
    python: str
    torch: str
    numpy: str

    def describe(self) -> str:
        """One line."""
        return (
            f"{self.processor}, {self.cores} core(s), {self.threads} thread(s), {self.dtype}, "
            f"Python {self.python}, torch {self.torch}, numpy {self.numpy}, load {self.load:.1f}"
        )


def this_machine(dtype: torch.dtype) -> Hardware:
    """This process on this machine, now."""
    return Hardware(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        threads=torch.get_num_threads(),
        dtype=dtype_name(dtype),
        load=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
        torch=str(torch.__version__),
        numpy=np.__version__,
    )


def dtype_name(dtype: torch.dtype) -> str:
    """As people write it: bfloat16."""
    return str(dtype).removeprefix("torch.")


def _processor() -> str:
    if _PROCESSORS.exists():
        for line in _PROCESSORS.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()

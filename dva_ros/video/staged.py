"""A tensor on the device, and its twin in memory of the host through which it is filled."""

from __future__ import annotations

import torch
from torch import Tensor

from .execution import Execution


class Staged:
    """Twins of one shape and dtype: a copy between them needs no conversion, so it never blocks.

    Attributes:
        host: pinned where the device is a GPU.
        device: what work reads and writes.
    """

    def __init__(self, execution: Execution, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self.host = execution.host_buffer(shape, dtype)
        self.device: Tensor = torch.zeros(shape, dtype=dtype, device=execution.device)

    def send(self) -> None:
        """Host to device; work of a lane."""
        self.device.copy_(self.host, non_blocking=True)

    def fetch(self) -> None:
        """Device to host; work of a lane."""
        self.host.copy_(self.device, non_blocking=True)

"""Data-parallel training in single-threaded processes.

On a busy machine two single-threaded ranks keep their pace where one process with two OpenMP
threads does not: a rank waits for the other once a step, not once an operation.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import start_processes

IMPATIENCE_S = 1.0


@dataclass(frozen=True)
class Group:
    """The ranks of one training run.

    Attributes:
        rank: this process, from 0.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    def average_gradients(self, parameters: Iterable[nn.Parameter], extra: Tensor) -> Tensor:
        """Average the gradients over the ranks, in place, and a vector along with them.

        Args:
            parameters: the same on every rank; those without a gradient are an error.
            extra: float32 [n]; e.g. the loss, or 1 where this rank was asked to stop.

        Returns:
            float32 [n]: the mean of `extra` over the ranks.
        """
        if self.size == 1:
            return extra
        gradients = [p.grad for p in parameters if p.requires_grad]
        if any(g is None for g in gradients):
            raise RuntimeError("a parameter has no gradient on this rank")
        tensors = [g for g in gradients if g is not None]
        flat = torch.cat([g.reshape(-1).float() for g in tensors] + [extra.float()])
        dist.all_reduce(flat)
        flat /= self.size
        offset = 0
        for gradient in tensors:
            part = flat[offset : offset + gradient.numel()]
            gradient.copy_(part.view(gradient.shape))
            offset += gradient.numel()
        return flat[offset:]

    def barrier(self) -> None:
        """Wait for the other ranks."""
        if self.size > 1:
            dist.barrier()


class StopSignal:
    """Becomes true on SIGINT or SIGTERM, so that a step ends and its state is saved."""

    def __init__(self) -> None:
        self.received = False
        self._first = 0.0

    def install(self) -> StopSignal:
        """Handle both signals from now on; a second one, a while later, ends the process."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        # Ctrl-C reaches a rank from the terminal and once more from its parent.
        if self.received and now - self._first > IMPATIENCE_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        if not self.received:
            self.received, self._first = True, now


def launch(size: int, work: Callable[[Group, Any], None], argument: Any) -> None:
    """Run ``work(group, argument)`` in `size` single-threaded processes and wait for them.

    With one rank it runs in this process. `work` is a module-level function. SIGINT and SIGTERM
    that reach this process are passed on to the ranks, which end as `StopSignal` tells them.

    Raises:
        KeyboardInterrupt: a signal ended the run, after all ranks ended in order.
        ProcessRaisedException: a rank failed; holds its traceback.
    """
    if size < 1:
        raise ValueError(f"ranks must be at least 1, got {size}")
    if size == 1:
        torch.set_num_threads(1)
        work(Group(), argument)
        return
    with tempfile.TemporaryDirectory(prefix="dva_ranks_") as folder:
        store = Path(folder) / "store"
        context = start_processes(
            _run_rank, (size, str(store), work, argument), nprocs=size, join=False
        )
        assert context is not None
        with _ForwardedSignals([pid for pid in context.pids() if pid is not None]) as signals:
            while not context.join(timeout=0.5):
                pass
        if signals.received:
            raise KeyboardInterrupt


def _run_rank(
    rank: int, size: int, store: str, work: Callable[[Group, Any], None], argument: Any
) -> None:
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=size)
    try:
        work(Group(rank, size), argument)
    finally:
        dist.destroy_process_group()


class _ForwardedSignals:
    """While inside, SIGINT and SIGTERM go on to the ranks."""

    def __init__(self, pids: list[int]) -> None:
        self.received = False
        self._pids = pids
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> _ForwardedSignals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._forward)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _forward(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        for pid in self._pids:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue

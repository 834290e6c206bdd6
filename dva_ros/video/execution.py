"""How a sequence of kernels runs: at once on the host, or recorded and replayed by a GPU.

Work is a function that reads and writes fixed buffers. It is recorded once (`recorded`), then
submitted to a lane any number of times. Work of one lane runs in order; work of two lanes is
ordered only by the marks it waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

import torch
from torch import Tensor

R = TypeVar("R")
Work = Callable[[], object]

_WARM_UP = 3


class Mark(Protocol):
    """The end of submitted work."""

    def wait(self) -> None:
        """Block the host until it is reached."""


class Lane(Protocol):
    """Work in order."""

    def submit(self, work: Work, after: Sequence[Mark] = ()) -> Mark:
        """Let `work` run after everything before it in this lane, and after these marks."""


class Execution(Protocol):
    """Where buffers lie and how work runs."""

    @property
    def device(self) -> torch.device:
        """Of the buffers that work reads and writes."""

    def lane(self) -> Lane:
        """A new lane."""

    def host_buffer(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Zeros in memory of the host that the device can read and write by itself."""

    def recorded(self, work: Work) -> Work:
        """The same work, ready to be submitted often; it may run a few times here."""

    def once(self, mark: Mark, read: Callable[[], R]) -> Future[R]:
        """What `read` gives when the mark is reached; the caller need not wait for it."""


def finished(value: R) -> Future[R]:
    """A future that has its value already."""
    future: Future[R] = Future()
    future.set_result(value)
    return future


def execution_on(device: torch.device | str) -> Execution:
    """The execution for a device."""
    where = torch.device(device)
    return CudaExecution(where) if where.type == "cuda" else HostExecution(where)


class Done:
    """A mark that is reached already."""

    def wait(self) -> None:
        """Return at once."""


class HostLane:
    """Runs work when it is submitted: all that it could wait for has run."""

    def submit(self, work: Work, after: Sequence[Mark] = ()) -> Mark:
        work()
        return Done()


class HostExecution:
    """No recording, no second stream: the same work over the same buffers."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)

    def lane(self) -> Lane:
        return HostLane()

    def host_buffer(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.zeros(shape, dtype=dtype)

    def recorded(self, work: Work) -> Work:
        return work

    def once(self, mark: Mark, read: Callable[[], R]) -> Future[R]:
        mark.wait()
        return finished(read())


class CudaMark:
    """An event of a stream."""

    def __init__(self, event: torch.cuda.Event) -> None:
        self.event = event

    def wait(self) -> None:
        self.event.synchronize()


class CudaLane:
    """A stream."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)

    def submit(self, work: Work, after: Sequence[Mark] = ()) -> Mark:
        with torch.cuda.stream(self._stream):
            for mark in after:
                if isinstance(mark, CudaMark):
                    self._stream.wait_event(mark.event)
            work()
            event = torch.cuda.Event()
            event.record(self._stream)
        return CudaMark(event)


class CudaExecution:
    """Recorded work is a CUDA graph: one launch, no Python and no allocation in it."""

    def __init__(self, device: torch.device | str = "cuda") -> None:
        self.device = torch.device(device)
        self._waiting = ThreadPoolExecutor(1, thread_name_prefix="device")

    def lane(self) -> Lane:
        return CudaLane(self.device)

    def host_buffer(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.zeros(shape, dtype=dtype, pin_memory=True)

    def recorded(self, work: Work) -> Work:
        # Nothing else may be under way while a graph is captured.
        torch.cuda.synchronize(self.device)
        stream = torch.cuda.Stream(self.device)
        with torch.cuda.stream(stream):
            # Libraries choose kernels and take workspace the first times.
            for _ in range(_WARM_UP):
                work()
        torch.cuda.synchronize(self.device)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            work()
        return graph.replay

    def once(self, mark: Mark, read: Callable[[], R]) -> Future[R]:
        def waited() -> R:
            mark.wait()
            return read()

        return self._waiting.submit(waited)

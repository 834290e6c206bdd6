"""Starts the processes of the graph, forwards their output and reports a process that died."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..ros.lifetime import DIE_WITH_PARENT
from .graph import GraphNode, GraphOptions, environment

LAST_LINES = 12
KILL_TIMEOUT_S = 2.0


@dataclass
class NodeProcess:
    """A running node.

    Attributes:
        node: what it is.
        process: its process.
        lines: the last lines that it printed.
        may_end: its end is not reported.
    """

    node: GraphNode
    process: subprocess.Popen[str]
    may_end: bool = False
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))


@dataclass(frozen=True)
class Death:
    """A node that ended without being asked to.

    Attributes:
        name: of the node.
        status: exit status; negative for a signal.
        lines: the last lines that it printed.
    """

    name: str
    status: int
    lines: Sequence[str]

    def describe(self) -> str:
        """Which node, how it ended, and its last lines."""
        if self.status < 0:
            how = f"was ended by {signal.Signals(-self.status).name}"
        else:
            how = f"ended with exit status {self.status}"
        last = "\n".join(f"    {line}" for line in self.lines) or "    (it printed nothing)"
        return f"node {self.name} {how}; its last lines:\n{last}"


class Supervisor:
    """The processes of a graph. Use as a context manager: leaving it stops them all.

    Args:
        options: which nodes, and their parameters.
        write: gets every line that a node prints, with the node's name before it.
    """

    def __init__(self, options: GraphOptions, write: Callable[[str], object]) -> None:
        self._options = options
        self._write = write
        self._processes: list[NodeProcess] = []
        self._deaths: queue.Queue[Death] = queue.Queue()
        self._stopping = False

    def __enter__(self) -> Supervisor:
        try:
            for node in self._options.nodes():
                self._processes.append(self._start(node))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def processes(self) -> Sequence[NodeProcess]:
        """In the order of starting."""
        return self._processes

    def death(self, timeout_s: float) -> Death | None:
        """Wait for a node to die; None where none did within the time."""
        try:
            return self._deaths.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def running(self, name: str) -> NodeProcess:
        """The process of a node; KeyError where it is not in the graph."""
        for running in self._processes:
            if running.node.name == name:
                return running
        raise KeyError(name)

    def kill(self, name: str) -> None:
        """End a node without giving it a chance to say anything (SIGKILL)."""
        running = self.running(name)
        running.may_end = True
        running.process.kill()
        running.process.wait(KILL_TIMEOUT_S)

    def restart(self, name: str) -> None:
        """Start a node again after its end."""
        place = self._processes.index(self.running(name))
        self._processes[place] = self._start(self._processes[place].node)

    def stop(self) -> None:
        """End all processes in the reverse order of starting; one that hangs is killed."""
        self._stopping = True
        for running in reversed(self._processes):
            process = running.process
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGCONT)
                try:
                    process.wait(running.node.stop_timeout_s)
                except subprocess.TimeoutExpired:
                    self._write(f"[{running.node.name}] does not stop: killed")
                    process.kill()
                    process.wait(KILL_TIMEOUT_S)
        self._processes.clear()

    def _start(self, node: GraphNode) -> NodeProcess:
        process = subprocess.Popen(
            self._options.command(node),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **environment(), DIE_WITH_PARENT: str(os.getpid())},
            start_new_session=True,
        )
        running = NodeProcess(node, process)
        threading.Thread(target=self._follow, args=(running,), name=node.name, daemon=True).start()
        return running

    def _follow(self, running: NodeProcess) -> None:
        name = running.node.name
        assert running.process.stdout is not None
        for line in running.process.stdout:
            running.lines.append(line.rstrip())
            self._write(f"[{name}] {line.rstrip()}")
        status = running.process.wait()
        if not (self._stopping or running.may_end):
            self._deaths.put(Death(name, status, tuple(running.lines)))


def wait_for_death(supervisor: Supervisor, ended: threading.Event) -> Death | None:
    """Wait until a node dies or `ended` is set; gives the death."""
    while not ended.is_set():
        death = supervisor.death(0.2)
        if death is not None:
            return death
    return None

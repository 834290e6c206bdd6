"""The parts of ``gpu``: each is a process with a time limit and a file of figures."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

PATHS = ("plain_float32", "static_float32", "static_fast", "float8_cache", "block_sparse")
"""Of `parity`, from the simplest: the first one that fails says where to look."""

_HERE = "dva_ros.benchmark.gpu"
LAST_CHARACTERS = 4000
CPU_PATIENCE = 4.0
KILL_AFTER_S = 10.0
"""Time after the limit in which a part may end in order."""


@dataclass(frozen=True)
class Part:
    """One thing to find out.

    Attributes:
        name: of its files in the output folder.
        command: behind ``python -m``; ``{json}`` and ``{folder}`` stand for its file and folder.
        limit_s: wall time that it may take.
    """

    name: str
    command: tuple[str, ...]
    limit_s: float


@dataclass(frozen=True)
class Outcome:
    """What came of a part.

    Attributes:
        name: of the part.
        command: that ran.
        passed: it ended by itself with exit status 0.
        status: exit status; None where it reached its limit.
        seconds: wall time.
        output: the end of what it printed; has the traceback of a failure.
        figures: content of its file, None where it wrote none.
    """

    name: str
    command: list[str]
    passed: bool
    status: int | None
    seconds: float
    output: str
    figures: object


def parts(device: str, recipe: str) -> list[Part]:
    """All parts for a device, in the order of what is learned from them.

    A GPU gets ten minutes in all. On a CPU the same parts run in a small form, to try them, and
    may take longer: others may be using it.
    """
    patience = 1.0 if device == "cuda" else CPU_PATIENCE
    on_device = ("--device", device, "--json", "{json}")
    # The first call of FlexAttention on a GPU compiles a kernel.
    limits = {path: 60.0 if path == "block_sparse" else 30.0 for path in PATHS}
    parity = [
        Part(f"parity_{path}", (f"{_HERE}.parity", path, *on_device), limit_s)
        for path, limit_s in limits.items()
    ]
    profiles = {"gpu": 45.0, "large": 70.0} if device == "cuda" else {"default": 60.0}
    benches = [
        Part(f"bench_{name}", (f"{_HERE}.speed", "--profile", name, *on_device), limit_s)
        for name, limit_s in profiles.items()
    ]
    chosen = [
        Part("environment", (f"{_HERE}.environment", *on_device), 20.0),
        *parity,
        *benches,
        Part("recipe", ("dva_ros", "recipe", recipe, "--output", "{folder}"), 265.0),
    ]
    return [replace(part, limit_s=part.limit_s * patience) for part in chosen]


def run_parts(chosen: Sequence[Part], folder: Path, say: Callable[[str], object]) -> list[Outcome]:
    """Run every part, whatever became of the one before; write a JSON file each.

    ``summary.json`` is written anew after each part, so that it is there after an interrupt.

    Args:
        chosen: parts in order.
        folder: for all files; exists.
        say: is given a line for every part.
    """
    outcomes = []
    for part in chosen:
        outcome = _run(part, folder)
        outcomes.append(outcome)
        (folder / f"{part.name}.json").write_text(json.dumps(asdict(outcome), indent=2) + "\n")
        results = {
            one.name: {"passed": one.passed, "seconds": one.seconds, "figures": one.figures}
            for one in outcomes
        }
        (folder / "summary.json").write_text(json.dumps(results, indent=2) + "\n")
        verdict = "passed" if outcome.passed else "FAILED"
        say(f"{part.name}: {verdict} after {outcome.seconds:.0f} s")
    return outcomes


def _run(part: Part, folder: Path) -> Outcome:
    figures = folder / f"{part.name}_figures.json"
    figures.unlink(missing_ok=True)
    own = folder / part.name
    own.mkdir(exist_ok=True)
    command = [one.format(json=figures, folder=own) for one in part.command]
    log = folder / f"{part.name}.log"
    begun = time.monotonic()
    # A file and no pipe: a pipe stays open, and would be waited for, while a grandchild lives.
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            status = _status(process, part.limit_s)
        except BaseException:
            # Ctrl-C has reached the part as well.
            _end(process)
            raise
    seconds = round(time.monotonic() - begun, 1)
    found = json.loads(figures.read_text()) if figures.exists() else None
    output = log.read_text(errors="replace")[-LAST_CHARACTERS:]
    return Outcome(part.name, command, status == 0, status, seconds, output, found)


def _status(process: subprocess.Popen[bytes], limit_s: float) -> int | None:
    """Exit status; None where the process had to be ended at its limit."""
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        # As Ctrl-C: a recipe hands it on to its stage, which saves its state.
        process.send_signal(signal.SIGINT)
        _end(process)
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait a moment for a process that was interrupted, then kill it."""
    try:
        process.wait(KILL_AFTER_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

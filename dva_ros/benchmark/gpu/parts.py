"""The parts of ``gpu``: each is a process with a time limit and a file of figures."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

LAST_CHARACTERS = 4000
KILL_AFTER_S = 10.0


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

    A GPU gets ten minutes in all. On a CPU the same parts run in a small form, to try them.
    """
    parity = [
        Part(
            f"parity_{path}",
            ("dva_ros.benchmark.gpu.parity", path, "--device", device, "--json", "{json}"),
            35.0,
        )
        for path in ("static_float32", "static_fast", "block_sparse", "float8_cache")
    ]
    bench = ("dva_ros", "bench", "--no-nodes", "--json", "{json}", "--output", "{folder}")
    if device == "cpu":
        small = ("--contexts", "16", "--repeats", "2", "--no-references")
        benches = [Part("bench_default", (*bench, *small), 120.0)]
    else:
        benches = [
            Part("bench_gpu", (*bench, "--profile", "gpu", "--no-references"), 70.0),
            Part("bench_large", (*bench, "--profile", "large", "--no-references"), 90.0),
        ]
    made = ("dva_ros", "recipe", recipe, "--output", "{folder}")
    return [*parity, *benches, Part("recipe", made, 290.0)]


def run_parts(chosen: Sequence[Part], folder: Path, say: Callable[[str], object]) -> list[Outcome]:
    """Run every part, whatever became of the one before; write a JSON file each.

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
        verdict = "passed" if outcome.passed else "FAILED"
        say(f"{part.name}: {verdict} after {outcome.seconds:.0f} s")
    return outcomes


def _run(part: Part, folder: Path) -> Outcome:
    figures = folder / f"{part.name}_figures.json"
    figures.unlink(missing_ok=True)
    own = folder / part.name
    own.mkdir(exist_ok=True)
    command = [one.format(json=figures, folder=own) for one in part.command]
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    status: int | None
    try:
        output, _ = process.communicate(timeout=part.limit_s)
        status = process.returncode
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            output, _ = process.communicate(timeout=KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        status = None
    seconds = round(time.monotonic() - begun, 1)
    found = json.loads(figures.read_text()) if figures.exists() else None
    return Outcome(
        part.name, command, status == 0, status, seconds, output[-LAST_CHARACTERS:], found
    )

"""Draws the pictures of docs/concepts/scheduler.md from the scheduler itself.

`source env.sh && python docs/scripts/leapfrog_plots.py [FOLDER]`; without a folder docs/images.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from leapfrog_play import FRAME_S, LIMITS, NAMES, Answered, Play
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dva_ros.leapfrog.messages import Mode

IMAGES = Path(__file__).resolve().parents[1] / "images"
COMMITTED, EXECUTED, RESERVE, TAIL, BAD = "0.65", "#2a6fbb", "#a9cbee", "#f2a65a", "#c0392b"
MODE_COLOURS = {Mode.STOPPING: "#fdebd0", Mode.HOLDING: "#e5e7e9"}
UNITS = ("position, rad", "velocity, rad/s", "acceleration, rad/s²", "jerk, rad/s³")
LIMIT = (None, LIMITS.velocity[0], LIMITS.acceleration[0], LIMITS.jerk[0])


BEGIN_S = 0.3
"""Before the first chunk can become motion, the robot is to stand."""


def wave(times: np.ndarray, half: float = 0.5, speed: float = 1.8) -> np.ndarray:
    """A smooth sweep that starts at rest: height of its half, rad, and rad/s of its phase."""
    return half * (1 - np.cos(speed * np.maximum(times - BEGIN_S, 0.0)))


def disagreeing(number: int, targets: np.ndarray) -> np.ndarray:
    """Every chunk is a little elsewhere, as a model's are."""
    return targets + np.random.default_rng(number).normal(0.0, 0.05)


def timing(path: Path) -> None:
    """Requests, chunks and what of them executes; the last request gets no answer."""
    play = Play(wave, disagreeing, answers_until=1.0).run(2.3)
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    axes = figure.subplots()
    rows = len(play.answered) + 2
    for index in range(23):
        axes.plot([index * FRAME_S] * 2, [-0.35, 0.35], color="black", linewidth=1)
        axes.text(index * FRAME_S, -0.5, str(index), ha="center", va="bottom", fontsize=7)
    starts = [answer.start for answer in play.answered[1:]] + [float("inf")]
    for row, (answer, leaves) in enumerate(zip(play.answered, starts, strict=True), 1):
        _timing_row(axes, row, answer, leaves)
    request, made = play.unanswered[0]
    _bar(axes, rows - 1, made, made + 0.6, "none", 0.28, edge="black", style=":")
    axes.text(made + 0.02, rows - 1, "no answer", va="center", fontsize=8)
    first = play.answered[1]
    top, bottom = 2 - 0.42, 2 + 0.42
    for moment in (first.made, first.arrival, first.start):
        axes.plot([moment] * 2, [top, bottom], color="black", linewidth=0.8)
    _span(axes, first.made, first.arrival, bottom, "L")
    _span(axes, first.arrival, first.start, bottom, "lead_s")
    axes.set_yticks(
        range(rows),
        ["frames n", *(f"chunk {a.request.request_id}" for a in play.answered),
         f"request {request.request_id}"],
    )  # fmt: skip
    axes.set(xlabel="time on the robot's clock, s", xlim=(-0.05, 2.25), ylim=(rows - 0.4, -0.7))
    legend = (
        ("white", "from the frame to the chunk's arrival"),
        (COMMITTED, "action prefix: n+1 … n+d, executes meanwhile"),
        (EXECUTED, "the chunk's motion, executing"),
        (RESERVE, "reserve, replaced by the next chunk"),
        (TAIL, "braking tail, already at the controller"),
    )
    axes.legend(
        handles=[Patch(facecolor=c, edgecolor="black", label=label) for c, label in legend],
        loc="lower left",
        fontsize=8,
    )
    _save(figure, path)


def splices(path: Path) -> None:
    """Chunks that disagree; what the controller commands, with its limits."""
    play = Play(lambda times: wave(times, 0.5, 5.6), disagreeing).run(3.0)
    figure = Figure(figsize=(10, 8), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True)
    _motion(panels, play)
    for number, answer in enumerate(play.answered):
        judged = slice(len(answer.request.committed), None)
        colour = f"C{number % 10}"
        panels[0].plot(answer.times[judged], answer.targets[judged], ".", color=colour)
        for panel in panels:
            panel.axvline(answer.start, color=colour, linewidth=0.7, linestyle="--")
    panels[0].set_title(f"{NAMES[0]}; dots: each chunk's targets; dashed: where it takes over")
    panels[-1].set_xlabel("s")
    panels[0].set_xlim(0, 3.0)
    _save(figure, path)


def stops(path: Path) -> None:
    """Left: frames stop, a stop is sent. Right: answers stop, the tail on the wire is played."""
    frames = Play(wave, frames_until=1.0).run(2.4)
    answers = Play(wave, answers_until=0.8).run(2.4)
    figure = Figure(figsize=(11, 6), layout="constrained")
    panels = figure.subplots(3, 2, sharex=True, sharey="row")
    for column, play, moment, title in (
        (panels[:, 0], frames, 1.0, "the last frame comes at 1.0 s"),
        (panels[:, 1], answers, 0.8, "requests after 0.8 s get no answer"),
    ):
        _motion(column, play)
        for panel in column:
            _modes(panel, play)
            panel.axvline(moment, color=BAD, linewidth=1)
        time, reason = next(r for r in play.reasons if r[0] > moment)
        column[0].set_title(title)
        column[0].text(time, 0.02, f"{time:.2f} s\n{reason}", fontsize=8, va="bottom")
        column[1].legend(
            handles=[Patch(color=c, label=m.name.lower()) for m, c in MODE_COLOURS.items()],
            loc="lower right",
            fontsize=8,
        )
        column[-1].set_xlabel("s")
    _save(figure, path)


def refused(path: Path) -> None:
    """One chunk jumps by more than it may: it is refused, the motion goes on."""
    bad = 3

    def jumping(number: int, targets: np.ndarray) -> np.ndarray:
        return targets + (0.9 if number == bad else 0.0)

    play = Play(wave, jumping).run(2.0)
    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    _motion(panels, play)
    for answer in play.answered:
        ahead = slice(len(answer.request.committed), None)
        colour, marker = (BAD, "x") if answer.refusal else (EXECUTED, ".")
        panels[0].plot(answer.times[ahead], answer.targets[ahead], marker, color=colour)
        panels[0].axvline(answer.arrival, color=colour, linewidth=0.7, linestyle="--")
    chunk = next(answer for answer in play.answered if answer.refusal)
    again = next(answer for answer in play.answered if answer.made >= chunk.arrival)
    panels[0].set_title(
        f"refused at {chunk.arrival:.2f} s: {chunk.refusal}; "
        f"frame {again.request.frame_index} is asked for at {again.made:.2f} s",
        fontsize=10,
    )
    panels[-1].set_xlabel("s; dashed: a chunk arrives")
    panels[0].set_xlim(0, 2.0)
    _save(figure, path)


def _timing_row(axes: Axes, row: int, answer: Answered, leaves: float) -> None:
    stamp = answer.request.stamp
    committed = stamp + FRAME_S * len(answer.request.committed)
    _bar(axes, row, answer.made, answer.arrival, "white", 0.28)
    _bar(axes, row, stamp, committed, COMMITTED, 0.14)
    _bar(axes, row, answer.start, min(leaves, answer.committed_until), EXECUTED, 0.28)
    if leaves < answer.committed_until:
        _bar(axes, row, leaves, answer.committed_until, RESERVE, 0.28)
    _bar(axes, row, answer.committed_until, answer.end, TAIL, 0.28)


def _bar(
    axes: Axes,
    row: int,
    start: float,
    end: float,
    colour: str,
    half: float,
    edge: str = "black",
    style: str = "-",
) -> None:
    axes.barh(
        row, end - start, 2 * half, start, color=colour, edgecolor=edge, linewidth=0.5,
        linestyle=style,
    )  # fmt: skip


def _span(axes: Axes, start: float, end: float, height: float, text: str) -> None:
    arrow = {"arrowstyle": "<->", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (start, height), (end, height), arrowprops=arrow)
    axes.text((start + end) / 2, height + 0.02, text, ha="center", va="top", fontsize=8)


def _motion(panels: np.ndarray, play: Play) -> None:
    """Commands and their derivatives, a panel each, with limits."""
    for order, panel in enumerate(panels):
        panel.plot(*play.derivative(order), color="black", linewidth=1.2, zorder=3)
        panel.set_ylabel(UNITS[order])
        panel.grid(alpha=0.3)
        if LIMIT[order] is not None:
            for sign in (-1, 1):
                panel.axhline(sign * LIMIT[order], color=BAD, linewidth=0.8)


def _modes(panel: Axes, play: Play) -> None:
    times, modes = np.array(play.times), np.array(play.modes)
    for mode, colour in MODE_COLOURS.items():
        inside = times[modes == mode]
        if inside.size:
            panel.axvspan(inside[0], inside[-1], color=colour, zorder=0)
            panel.set_xlim(0, times[-1])


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    print(path)


def main() -> None:
    """Draw all four."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else IMAGES
    timing(folder / "leapfrog_timing.png")
    splices(folder / "leapfrog_splices.png")
    stops(folder / "leapfrog_stops.png")
    refused(folder / "leapfrog_refused.png")


if __name__ == "__main__":
    main()

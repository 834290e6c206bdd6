"""A recording through the aligner of the live node, into episodes.

The clock is the recorder's: every message comes at the time at which it was recorded, and between
messages the aligner is asked as often as the node's timer asks it. So the frames are those that
the node made, or would have made, of the same messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..context.alignment import ContextAligner
from ..context.frame import ContextFrame
from ..context.picture import Picture
from ..context.ring import Arrival
from ..trajectory import Trajectory
from .command_track import CommandTrack
from .episode_sink import EpisodeLabel, EpisodeSink
from .marks import Mark, MarkKind
from .settings import CellSettings

POLL_S = 0.01
"""As the timer of `camera_context`."""
MAX_GAP_S = 5.0
LEAST_FRAMES = 10
SEED_LIMIT = 2**31


@dataclass(frozen=True)
class ReplayOptions:
    """How a recording becomes episodes.

    Attributes:
        keep_failures: keep failed and unfinished episodes too, as failures.
        max_episode_s: longer ones are cut into several.
        task: name where the marks have none; empty: the instruction.
        instruction: in place of what the recording says; empty to take that.
        whole: take all of a recording, whatever its marks.
        patience_s: how long a frame waits for messages that were recorded late, at least; the
            live node cannot wait so long, and marks what is not there in time. 0: as the node.
    """

    keep_failures: bool = False
    max_episode_s: float = 120.0
    task: str = ""
    instruction: str = ""
    whole: bool = False
    patience_s: float = 0.5


@dataclass
class ReplayCounts:
    """What became of a recording.

    Attributes:
        episodes: kept, of which `succeeded` are successes; `unmarked` of these had no verdict.
        frames: in them; `marked` of these repeat a source that was missing.
        from_states: numbers of actions that no command says, but the measured joints.
        failures, unfinished, discarded, short, silent: episodes left out: failed; without an end;
            discarded by a mark; of less than `LEAST_FRAMES` frames; without an instruction.
        refused: messages that could not be used, by reason.
    """

    episodes: int = 0
    succeeded: int = 0
    unmarked: int = 0
    frames: int = 0
    marked: int = 0
    from_states: int = 0
    failures: int = 0
    unfinished: int = 0
    discarded: int = 0
    short: int = 0
    silent: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def left_out(self) -> str:
        """The episodes that were left out, by reason, in words; empty for none."""
        found = {
            "failed": self.failures,
            "without an end": self.unfinished,
            "discarded": self.discarded,
            f"of less than {LEAST_FRAMES} frames": self.short,
            "without an instruction (give --instruction)": self.silent,
        }
        return ", ".join(f"{count} {what}" for what, count in found.items() if count)


@dataclass
class _Part:
    stamps: list[float] = field(default_factory=list)
    positions: list[np.ndarray] = field(default_factory=list)


@dataclass
class _Running:
    """The episode that is being made."""

    task: str
    instruction: str
    seed: int
    parts: list[_Part] = field(default_factory=lambda: [_Part()])
    bad_frames: int = 0
    ends_s: float = float("inf")
    verdict: MarkKind | None = None

    @property
    def frames(self) -> int:
        return sum(len(part.stamps) for part in self.parts)


class Replay:
    """Takes what a recording holds in its order, gives episodes to a sink.

    With marks, an episode lasts from its start to its verdict. Without, every session of the
    aligner is one: a new instruction, or a gap of the clock, begins the next.

    Args:
        settings: of the cell.
        marked: the recording has marks.
        sink: takes the episodes.
        options: what is kept.
    """

    def __init__(
        self, settings: CellSettings, marked: bool, sink: EpisodeSink, options: ReplayOptions
    ) -> None:
        self.counts = ReplayCounts()
        self._period_s = settings.grid.frame_period_s
        limits = settings.limits
        self._wait_s = max(limits.max_delay_s, options.patience_s)
        self._marked = marked and not options.whole
        self._sink = sink
        self._options = options
        self._aligner = ContextAligner(
            settings.grid,
            {name: (given.height, given.width) for name, given in settings.inputs.items()},
            replace(limits, max_delay_s=self._wait_s, max_age_s=limits.max_age_s + self._wait_s),
            capacity=1,
            max_gap_s=MAX_GAP_S,
            views={name: given.view() for name, given in settings.inputs.items()},
            observer=self._on_frame,
        )
        self._aligner.instruction = options.instruction
        self._session = self._aligner.session
        self._commands = CommandTrack(settings.spec.joint_names)
        self._running: _Running | None = None
        self._kept_last: _Running | None = None
        self._kept_success = False
        self._now: float | None = None
        self._ends_s = float("inf")

    @property
    def unheard(self) -> list[str]:
        """The sources that never gave anything that could be used."""
        sources = (*self._aligner.cameras, "joint_states")
        return [name for name in sources if Arrival.ACCEPTED not in self._aligner.arrivals(name)]

    @property
    def lost(self) -> dict[str, int]:
        """Samples that came, with their stamp, order or data at fault, by source and fault."""
        found = {
            f"{name}: {reason}": count
            for name, camera in self._aligner.cameras.items()
            for reason, count in camera.damaged.items()
        }
        for source in (*self._aligner.cameras, "joint_states"):
            for arrival, count in self._aligner.arrivals(source).items():
                if arrival in (Arrival.FUTURE, Arrival.LATE, Arrival.DUPLICATE):
                    found[f"{source}: {arrival.value}"] = count
        return found

    def image(self, camera: str, stamp: float, image: np.ndarray | Picture, now: float) -> None:
        """A picture; an array is uint8 RGB [rows, columns, 3]."""
        self._advance(now)
        if not self._aligner.add_image(camera, stamp, image, now):
            self.refuse(f"{camera}: {self._aligner.cameras[camera].problem(now)}")
        self._poll(now)

    def camera_info(self, camera: str, info: Any, now: float) -> None:
        """The calibration of a camera that is rectified; an object with the message's fields."""
        self._advance(now)
        self._aligner.cameras[camera].calibrate(info)

    def joints(
        self,
        stamp: float,
        names: Sequence[str],
        position: np.ndarray,
        velocity: np.ndarray,
        now: float,
    ) -> None:
        """A joint state."""
        self._advance(now)
        seen = sum(self._aligner.arrivals("joint_states").values())
        self._aligner.add_joints(stamp, names, position, velocity, now)
        if sum(self._aligner.arrivals("joint_states").values()) == seen:
            self.refuse(f"joint_states: {self._aligner.joints.problem(now)}")

    def command(self, stamp: float, names: Sequence[str], positions: np.ndarray) -> None:
        """What a controller commands at `stamp`."""
        if not self._commands.add_state(stamp, names, positions):
            self.refuse("controller_state: a command is not finite or not one a joint")

    def trajectory(self, trajectory: Trajectory, now: float) -> None:
        """What a controller was sent."""
        if not self._commands.add_trajectory(trajectory, now):
            self.refuse("joint_trajectory: no positions of the cell's joints that are finite")

    def instruction(self, text: str, now: float) -> None:
        """A new instruction; a different text starts a new session, as in the live node."""
        self._advance(now)
        if not self._options.instruction and text != self._aligner.instruction:
            self._aligner.clear(text, now)
            self._watch_session(now)

    def mark(self, mark: Mark, now: float) -> None:
        """A mark of an episode."""
        self._advance(now)
        if not self._marked:
            return
        if mark.kind is MarkKind.START:
            self._close("unfinished")
            instruction = self._options.instruction or mark.instruction
            self._aligner.clear(instruction, now)
            self._session = self._aligner.session
            task = self._options.task or mark.task
            self._begin(task, instruction or self._aligner.instruction, mark.seed, now)
        elif self._running is not None:
            if self._running.verdict is None:
                self._running.ends_s = now
            if self._running.verdict is None or mark.kind is MarkKind.DISCARD:
                self._running.verdict = mark.kind
        elif mark.kind is MarkKind.DISCARD:
            self._discard_last()

    def refuse(self, reason: str) -> None:
        """Count a message that could not be used."""
        self.counts.refused[reason] += 1

    def end(self) -> None:
        """The recording is over."""
        if self._now is not None:
            self._ends_s = self._now
            self._poll(self._now + self._wait_s)
        self._close("unfinished" if self._marked else "")

    def _advance(self, now: float) -> None:
        """Ask the aligner as the node's timer does, up to now; a long gap is jumped over."""
        last, self._now = self._now, now
        if last is None or not POLL_S < now - last <= MAX_GAP_S:
            return
        for tick in range(1, int((now - last) / POLL_S) + 1):
            if last + tick * POLL_S < now:
                self._poll(last + tick * POLL_S)

    def _poll(self, now: float) -> None:
        self._aligner.poll(now)
        self._watch_session(now)
        running = self._running
        if running is not None and now > running.ends_s + self._wait_s + POLL_S:
            self._close("")

    def _watch_session(self, now: float) -> None:
        """Without marks, a session that begins anew ends the episode."""
        if self._session == self._aligner.session:
            return
        self._session = self._aligner.session
        if not self._marked:
            self._close("")

    def _begin(self, task: str, instruction: str, seed: int, now: float) -> None:
        self._commands.forget_before(now - 1.0)
        seed = seed if seed >= 0 else round(now * 1000) % SEED_LIMIT
        self._running = _Running(task or instruction, instruction, seed)

    def _on_frame(self, frame: ContextFrame, images: Mapping[str, np.ndarray]) -> None:
        if frame.session != self._session:
            self._watch_session(frame.stamp)
        if frame.stamp > self._ends_s:
            return
        if self._running is None:
            if self._marked:
                return
            self._begin(self._options.task, frame.instruction, -1, frame.stamp)
        running = self._running
        assert running is not None
        if frame.stamp > running.ends_s:
            return
        self._sink.add(frame, images)
        part = running.parts[-1]
        part.stamps.append(frame.stamp)
        part.positions.append(frame.position)
        running.bad_frames += not frame.good
        if len(part.stamps) * self._period_s >= self._options.max_episode_s:
            self._cut()

    def _cut(self) -> None:
        """Go on in another part, or, where no verdict will come, in another episode."""
        running = self._running
        assert running is not None
        if self._marked:
            running.parts.append(_Part())
            self._sink.cut()
        else:
            self._close("")

    def _close(self, otherwise: str) -> None:
        """End the running episode; without verdict it is `otherwise`."""
        running, self._running = self._running, None
        if running is None:
            return
        self._kept_last = None
        unfinished = running.verdict is None and otherwise == "unfinished"
        failed = running.verdict is MarkKind.FAILURE
        counts = self.counts
        if running.verdict is MarkKind.DISCARD:
            counts.discarded += 1
        elif running.frames < LEAST_FRAMES:
            counts.short += 1
        elif not running.instruction:
            counts.silent += 1
        elif unfinished and not self._options.keep_failures:
            counts.unfinished += 1
        elif failed and not self._options.keep_failures:
            counts.failures += 1
        else:
            self._keep(running, success=not (failed or unfinished))
            return
        self._sink.abandon()

    def _keep(self, running: _Running, success: bool) -> None:
        parts = [part for part in running.parts if part.stamps]
        actions = []
        for part in parts:
            action, unknown = self._actions(part)
            actions.append(action)
            self.counts.from_states += unknown
        label = EpisodeLabel(running.task, running.instruction, running.seed, success)
        self._sink.finish(actions, label)
        counts = self.counts
        counts.episodes += 1
        counts.succeeded += success
        counts.unmarked += running.verdict in (None, MarkKind.STOP) and success
        counts.frames += running.frames
        counts.marked += running.bad_frames
        self._kept_last, self._kept_success = running, success

    def _actions(self, part: _Part) -> tuple[np.ndarray, int]:
        """float32 [T, J], and how many of the numbers are measured joints, not commands."""
        period = self._period_s
        action = self._commands.at([stamp + period for stamp in part.stamps])
        state = np.stack(part.positions)
        unknown = np.isnan(action)
        action[unknown] = np.concatenate([state[1:], state[-1:]])[unknown]
        return action.astype(np.float32), int(unknown.sum())

    def _discard_last(self) -> None:
        """The episode before was a mistake; nothing to do where it was not kept."""
        if self._kept_last is None:
            return
        last, self._kept_last = self._kept_last, None
        self._sink.remove_last()
        counts = self.counts
        counts.episodes -= 1
        counts.succeeded -= self._kept_success
        counts.frames -= last.frames
        counts.marked -= last.bad_frames
        counts.discarded += 1

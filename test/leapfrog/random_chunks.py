"""Random and adversarial chunks without end: every message on the wire keeps every limit.

python test/leapfrog/random_chunks.py --chunks 1000000 --workers 2
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from streams import HOME, LIMITS, NAMES, SCALE, answer

from dva_ros.leapfrog.messages import Decision, Frame, Request
from dva_ros.leapfrog.motion import Motion
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.leapfrog.scheduler import Leapfrog
from dva_ros.leapfrog.sent_trajectory import played_motion
from dva_ros.leapfrog.splice import violation

TICK_S = 0.05
KINDS = ("smooth", "noisy", "wild", "edges", "stuck", "spike", "broken", "gentle")


def random_targets(rng: np.random.Generator, at: np.ndarray, horizon: int) -> np.ndarray:
    """Targets [H, J] of a random kind, from plausible to absurd."""
    kind = rng.choice(KINDS)
    steps = rng.normal(0, 1, (horizon, len(NAMES))) * SCALE
    if kind == "smooth":
        return at + np.cumsum(np.tile(0.15 * steps[:1], (horizon, 1)), axis=0)
    if kind == "noisy":
        return at + np.cumsum(0.1 * steps, axis=0)
    if kind == "wild":
        return at + np.cumsum(10 ** rng.uniform(-1, 1) * steps, axis=0)
    if kind == "edges":
        ends = np.where(rng.random(steps.shape) < 0.5, LIMITS.lower, LIMITS.upper)
        return at + np.clip(ends - at, -0.4 * SCALE, 0.4 * SCALE)
    if kind == "stuck":
        return np.tile(at, (horizon, 1))
    targets = at + np.cumsum(0.05 * steps, axis=0)
    place = rng.integers(horizon), rng.integers(len(NAMES))
    if kind == "spike":
        targets[place] += rng.choice([-1, 1]) * 10 ** rng.uniform(-1, 1)
    if kind == "broken":
        targets[place] = rng.choice([np.nan, np.inf, -np.inf, 1e300])
    return targets


@dataclass
class Storm:
    """Feeds a scheduler and checks every message against the limits and the one before.

    Attributes:
        seed: of everything.
        time_scaling: of the grid; its frames are whole ticks of `TICK_S`.
        counts: messages sent, and refusals by kind.
        faults: what was broken, in words.
    """

    seed: int
    time_scaling: float = 1.0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def run(self, chunks: int) -> Storm:
        """Feed that many chunks."""
        rng = np.random.default_rng(self.seed)
        parameters = LeapfrogParameters().slowed(self.time_scaling)
        frame_ticks = round(parameters.frame_period_s / TICK_S)
        self._leapfrog = Leapfrog(parameters, LIMITS, NAMES)
        self._leapfrog.engage(0.0, HOME)
        self._wire = Motion.at_rest(0.0, HOME)
        fed, tick, due = 0, 0, float("inf")
        request: Request | None = None
        while fed < chunks:
            now = tick * TICK_S + 1e-9
            position = self._wire.sample(now)[0]
            self._leapfrog.on_joint_states(now, position)
            asked: Request | None = None
            if now >= due and request is not None:
                targets = random_targets(rng, request.committed[-1].astype(np.float64), 8)
                decision = self._leapfrog.accept(answer(request, targets), now)
                self._take(decision, now)
                fed, request, due, asked = fed + 1, None, float("inf"), decision.request
            if rng.random() < 0.005:
                self._take(self._leapfrog.disengage(now), now)
                rest = self._wire.final_position
                tick += 40
                now = tick * TICK_S
                self._leapfrog.engage(now, rest)
                self._wire = Motion.at_rest(now, rest)
            if tick % frame_ticks == 0:
                frame = Frame(1, tick // frame_ticks, tick * TICK_S)
                asked = self._leapfrog.on_frame(frame, now).request or asked
            if asked is not None:
                request, due = asked, now + rng.choice([0.1, 0.25, 0.3, 0.45, 0.7])
            self._take(self._leapfrog.watch(now), now)
            tick += 1
        self.counts += self._leapfrog.state.refusals
        return self

    def _take(self, decision: Decision, now: float) -> None:
        if decision.refusal:
            self.counts[f"refused: {decision.refusal.split(':')[0]}"] += 1
        if decision.trajectory is None:
            return
        self.counts["sent"] += 1
        sent = played_motion(decision.trajectory)
        broken = violation(sent, LIMITS)
        if broken:
            self.faults.append(f"seed {self.seed}, {now:.3f} s: {broken}")
        times = np.linspace(sent.start, now + 0.05, 5)
        for new, old, allowed in zip(
            sent.sample(times), self._wire.sample(times), (1e-6, 1e-5, 1e-2), strict=True
        ):
            step = np.abs(new - old).max()
            if step > allowed:
                self.faults.append(f"seed {self.seed}, {now:.3f} s: step of {step:.2e}")
        self._wire = sent


def _run(task: tuple[int, float, int]) -> tuple[Counter[str], list[str]]:
    seed, time_scaling, chunks = task
    storm = Storm(seed, time_scaling).run(chunks)
    return storm.counts, storm.faults


def main() -> int:
    """Feed the chunks, a thousand from each seed, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=20000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-scaling", type=float, default=1.0)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed - (-options.chunks // 1000))
    tasks = [(seed, options.time_scaling, 1000) for seed in seeds]
    counts: Counter[str] = Counter()
    faults: list[str] = []
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for done, (found, broken) in enumerate(pool.imap_unordered(_run, tasks), 1):
            counts += found
            faults += broken
            rate = 1000 * done / (time.monotonic() - started)
            line = f"\r{1000 * done} chunks, {rate:.0f}/s, {len(faults)} faults"
            print(line, end="", flush=True)
    print(f"\n{dict(counts)}")
    for fault in faults[:20]:
        print(fault)
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(main())

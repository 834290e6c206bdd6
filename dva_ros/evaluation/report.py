"""What an evaluation was asked to do, what each episode gave, and the summary of them all."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from .metrics import pooled_rms_jerk

Mode = Literal["in-process", "ros"]
PolicyName = Literal["model", "expert-replay", "expert"]
POLICIES: tuple[PolicyName, ...] = get_args(PolicyName)


@dataclass(frozen=True)
class EvaluationOptions:
    """One evaluation run, in process or through the ROS nodes.

    Attributes:
        task: as for `cell.tasks.find_task`.
        episodes: number of scenes; their seeds are ``seed .. seed + episodes - 1``.
        seed: first scene's seed.
        split: of the scenes: "train", "validation" or "test".
        latency_s: modelled time from a frame to the arrival of its chunk (in process only), s.
        jitter_s: standard deviation added to it; never less than 0 in all (in process only), s.
        lead_s: time that leapfrog leaves its messages to reach the controller (in process only),
            s; None leaves its default, which is a robot's.
        num_steps: denoising steps; None leaves the checkpoint's own.
        context_frames: frames of memory; None leaves the checkpoint's own.
        models: folder that holds ``video`` and ``inverse_dynamics``.
        policy: "model", "expert-replay" to send an expert's recorded motion instead, or "expert"
            to ask the expert anew every time.
        scheduler: name in `schedulers.registry.SCHEDULERS` (in process only).
        time_scaling: speed at which imagined motion is played; see `speed.py`.
        workers: processes (in process only).
        max_seconds: an episode without success ends after this many seconds on the cell's clock.
        video: mp4 of the first episode to write, or None.
    """

    task: str
    episodes: int
    seed: int
    split: str = "test"
    latency_s: float = 0.25
    jitter_s: float = 0.0
    lead_s: float | None = None
    num_steps: int | None = None
    context_frames: int | None = None
    models: Path = Path("models/cpu")
    policy: PolicyName = "model"
    scheduler: str = "leapfrog"
    time_scaling: float = 1.0
    workers: int = 2
    max_seconds: float = 20.0
    video: Path | None = None

    @property
    def seeds(self) -> range:
        """Seeds of all scenes, in order."""
        return range(self.seed, self.seed + self.episodes)


@dataclass(frozen=True)
class EpisodeOutcome:
    """One episode.

    Attributes:
        seed: of the scene.
        success: the task's own test passed.
        outcome: "success", or why not, in words that can be counted.
        duration_s: on the cell's clock.
        predictions: chunks that became motion.
        latencies_s: camera stamp to command, of every such chunk.
        compute_s: processor time spent on every prediction (encode, imagine, decode), s.
        idle_s: idle time after the first chunk (braking tails count).
        max_position_step_rad: greatest step of an arm joint's command between controller
            updates beyond what the acceleration limit explains (see `metrics.py`).
        max_velocity_step_rad_s: greatest change of an arm joint's commanded velocity between
            two controller updates around splices.
        max_gripper_position_step_m: as above, for gripper joints.
        max_gripper_velocity_step_m_s: as above, for gripper joints.
        velocity_step_ratio: greatest velocity step as a share of what the joint's acceleration
            limit allows in one controller period; at most 1 where motion is right.
        consumed_ticks: targets that were already past when their chunk arrived.
        refusals: reason -> count of chunks or trajectories that were not executed.
        rms_jerk_rad_s3: root mean square of the arm joints' jerk while moving (see `metrics.py`).
        moving_s: time that it was measured over.
    """

    seed: int
    success: bool
    outcome: str
    duration_s: float
    predictions: int
    latencies_s: tuple[float, ...] = ()
    compute_s: tuple[float, ...] = ()
    idle_s: float = 0.0
    max_position_step_rad: float = 0.0
    max_velocity_step_rad_s: float = 0.0
    max_gripper_position_step_m: float = 0.0
    max_gripper_velocity_step_m_s: float = 0.0
    velocity_step_ratio: float = 0.0
    consumed_ticks: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    rms_jerk_rad_s3: float = 0.0
    moving_s: float = 0.0


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson score interval (95 % by default) of a success rate, as two fractions."""
    if trials <= 0:
        return 0.0, 1.0
    rate = successes / trials
    scale = 1.0 / (1.0 + z * z / trials)
    centre = (rate + z * z / (2 * trials)) * scale
    half = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials)) * scale
    return max(0.0, centre - half), min(1.0, centre + half)


def _percentile(values: list[float], q: float) -> float:
    return float(np.percentile(values, q)) if values else 0.0


@dataclass(frozen=True)
class EvaluationReport:
    """All episodes of one evaluation.

    Attributes:
        options: what was asked.
        outcomes: in order of seed; fewer than asked where the run was interrupted.
        mode: "in-process" (simulated time) or "ros" (nodes, real time).
        wall_s: duration of the evaluation on the wall clock.
        files: what was written (videos, contact sheets).
    """

    options: EvaluationOptions
    outcomes: tuple[EpisodeOutcome, ...]
    mode: Mode
    wall_s: float
    files: tuple[Path, ...] = ()

    @property
    def successes(self) -> int:
        """Episodes that passed the task's test."""
        return sum(outcome.success for outcome in self.outcomes)

    @property
    def failures(self) -> dict[str, int]:
        """Reason -> number of episodes, most frequent first."""
        counted = Counter(o.outcome for o in self.outcomes if not o.success)
        return dict(counted.most_common())

    @property
    def refusals(self) -> dict[str, int]:
        """Reason -> number of refused chunks over all episodes, most frequent first."""
        counted: Counter[str] = Counter()
        for outcome in self.outcomes:
            counted.update(outcome.refusals)
        return dict(counted.most_common())

    def to_json(self) -> dict[str, Any]:
        """Plain types for ``--json``."""
        outcomes = self.outcomes
        latencies = [1e3 * x for o in outcomes for x in o.latencies_s]
        compute = [1e3 * x for o in outcomes for x in o.compute_s]
        seconds = sum(o.duration_s for o in outcomes)
        low, high = wilson_interval(self.successes, len(outcomes))
        return {
            "task": self.options.task,
            "mode": self.mode,
            "policy": self.options.policy,
            "scheduler": self.options.scheduler,
            "time_scaling": self.options.time_scaling,
            "split": self.options.split,
            "episodes": len(outcomes),
            "seeds": [o.seed for o in outcomes],
            "successes": self.successes,
            "success_rate": self.successes / len(outcomes) if outcomes else 0.0,
            "success_interval_95": [low, high],
            "predictions_per_second": (
                sum(o.predictions for o in outcomes) / seconds if seconds else 0.0
            ),
            "compute_ms": {"p50": _percentile(compute, 50), "p99": _percentile(compute, 99)},
            "latency_ms": {"p50": _percentile(latencies, 50), "p99": _percentile(latencies, 99)},
            "idle_s": sum(o.idle_s for o in outcomes),
            "max_position_step_rad": max((o.max_position_step_rad for o in outcomes), default=0.0),
            "max_velocity_step_rad_s": max(
                (o.max_velocity_step_rad_s for o in outcomes), default=0.0
            ),
            "max_gripper_position_step_m": max(
                (o.max_gripper_position_step_m for o in outcomes), default=0.0
            ),
            "max_gripper_velocity_step_m_s": max(
                (o.max_gripper_velocity_step_m_s for o in outcomes), default=0.0
            ),
            "velocity_step_ratio": max((o.velocity_step_ratio for o in outcomes), default=0.0),
            "rms_jerk_rad_s3": pooled_rms_jerk(outcomes),
            "consumed_ticks": sum(o.consumed_ticks for o in outcomes),
            "mean_duration_s": seconds / len(outcomes) if outcomes else 0.0,
            "failures": self.failures,
            "refusals": self.refusals,
            "failed_seeds": [o.seed for o in outcomes if not o.success],
            "wall_s": self.wall_s,
            "files": [str(path) for path in self.files],
        }

    def write_json(self, path: Path) -> None:
        """Write `to_json` to a file, creating its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n")

    def table(self) -> str:
        """The summary for a terminal, one figure a line."""
        values = self.to_json()
        low, high = values["success_interval_95"]
        seeds = self.options.seeds
        rows = {
            "task": f"{values['task']} ({values['mode']}, policy {values['policy']}, "
            f"scheduler {values['scheduler']}, speed {values['time_scaling']:.2g})",
            "scenes": f"{len(self.outcomes)} of split '{self.options.split}', "
            f"seeds {seeds[0]}..{seeds[-1]}",
            "success": f"{self.successes}/{len(self.outcomes)} = {values['success_rate']:.0%} "
            f"(95 %: {low:.0%} to {high:.0%})",
            "predictions per second": f"{values['predictions_per_second']:.2f}",
            "cost of a prediction": _percentiles(values["compute_ms"]),
            "latency, camera to command": _percentiles(values["latency_ms"]),
            "idle time": f"{values['idle_s']:.2f} s",
            "greatest position step": f"{values['max_position_step_rad']:.5f} rad, "
            f"gripper {values['max_gripper_position_step_m']:.6f} m",
            "greatest velocity step": f"{values['max_velocity_step_rad_s']:.4f} rad/s, "
            f"gripper {values['max_gripper_velocity_step_m_s']:.4f} m/s "
            f"({values['velocity_step_ratio']:.0%} of the limit)",
            "RMS jerk while moving": f"{values['rms_jerk_rad_s3']:.0f} rad/s^3",
            "consumed targets": str(values["consumed_ticks"]),
            "failures": _counts(self.failures),
            "refusals": _counts(self.refusals),
            "mean length of an episode": f"{values['mean_duration_s']:.1f} s",
            "duration": f"{self.wall_s:.0f} s",
        }
        lines = list(rows.items())
        lines += [("file", str(path)) for path in self.files]
        return "\n".join(f"  {name:<30} {value}" for name, value in lines)


def _percentiles(values: dict[str, float]) -> str:
    return f"p50 {values['p50']:.0f} ms, p99 {values['p99']:.0f} ms"


def _counts(counts: dict[str, int]) -> str:
    return "; ".join(f"{count}x {reason}" for reason, count in counts.items()) or "none"

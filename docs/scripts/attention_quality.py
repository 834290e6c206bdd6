"""Trains attention patterns for equal operations: the shipped one, the same with local layers, and
dense attention.

They have the same parameters to 3 %, data, noise, optimiser and held-out windows; options are
those of `train video`, of which `--steps` counts the steps of the shipped pattern:

python docs/scripts/attention_quality.py --data data/pick_place_e --output runs/attention \\
    --steps 1500 --batch 1 --frames 40 --context-frames 40 --stride 4
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace

import torch

from dva_ros.benchmark.dense_video import DenseVideoModel, dense_counterpart
from dva_ros.compute.training_products import TrainingShape, dense_step_operations, step_operations
from dva_ros.training import video_loop
from dva_ros.training.video_loop import VideoJob
from dva_ros.training.video_trainer import VideoTrainer, mean_over_starts
from dva_ros.training.video_validation import LEVELS
from dva_ros.video.config import VideoModelConfig
from dva_ros.video.model import VideoModel


@dataclass(frozen=True)
class Pattern:
    """How tokens attend, and what a step of it costs."""

    build: Callable[[VideoModelConfig], VideoModel]
    config: Callable[[VideoModelConfig], VideoModelConfig]
    operations: Callable[[VideoModelConfig, TrainingShape], int]


def same(config: VideoModelConfig) -> VideoModelConfig:
    """The shipped architecture is the one that options describe."""
    return config


def with_local_layers(config: VideoModelConfig) -> VideoModelConfig:
    """Two of three layers see a quarter of the context only."""
    return replace(config, local_frames=config.context_frames // 4, global_every=3)


PATTERNS = {
    "shipped": Pattern(VideoModel, same, step_operations),
    "local": Pattern(VideoModel, with_local_layers, step_operations),
    "dense": Pattern(DenseVideoModel, dense_counterpart, dense_step_operations),
}


@dataclass(frozen=True)
class Row:
    """Held-out error of one pattern after some operations."""

    pattern: str
    seed: int
    parameters: int
    gflop_per_step: float
    steps: int
    pflop: float
    training_s: float
    held_out: tuple[float, ...]
    copy_last: float


def cost(name: str, job: VideoJob) -> float:
    """Operations of a step."""
    pattern = PATTERNS[name]
    config = pattern.config(job.config)
    return mean_over_starts(job.settings, lambda shape: pattern.operations(config, shape))


def train(name: str, seed: int, job: VideoJob, checks: int) -> list[Row]:
    """A row after every `checks`-th part of the run, one thread."""
    torch.set_num_threads(1)
    pattern, asked = PATTERNS[name], job.settings
    assert asked.steps is not None
    per_step = cost(name, job)
    steps = round(asked.steps * cost("shipped", job) / per_step)
    settings = replace(asked, steps=steps, seed=seed, ranks=1)
    trainer = VideoTrainer(
        pattern.config(job.config), settings, job.train, job.validation, build=pattern.build
    )
    rows, spent = [], 0.0
    due = {round(steps * (check + 1) / checks) for check in range(checks)}
    for step in range(1, steps + 1):
        begun = time.perf_counter()
        trainer.train_step((step - 1) / steps)
        spent += time.perf_counter() - begun
        if step not in due:
            continue
        result = trainer.measure()
        parameters = sum(p.numel() for p in trainer.model.parameters())
        row = Row(
            name,
            seed,
            parameters,
            1e-9 * per_step,
            step,
            1e-15 * step * per_step,
            spent,
            result.by_level,
            result.copy_last,
        )
        print(describe(row), flush=True)
        rows.append(row)
    return rows


def describe(row: Row) -> str:
    """One line."""
    errors = " ".join(f"{error:.5f}" for error in row.held_out)
    return (
        f"{row.pattern:8} seed {row.seed} {row.parameters / 1e6:5.2f}M "
        f"{row.gflop_per_step:7.1f} GFLOP/step {row.steps:6} steps {row.pflop:8.4f} PFLOP "
        f"{row.training_s:7.0f} s   {errors}   {row.copy_last:.5f}"
    )


def main() -> None:
    """Train all, print and store the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    video_loop.add_arguments(parser)
    parser.add_argument(
        "--patterns", default=",".join(PATTERNS), help="of these, separated by commas"
    )
    parser.add_argument("--seeds", default="0", help="numbers, separated by commas")
    parser.add_argument("--checks", type=int, default=5, help="measurements of each run")
    parser.add_argument("--workers", type=int, default=2, help="runs side by side")
    options = parser.parse_args()
    if options.steps is None:
        parser.error("give --steps: the schedule is to follow operations, not time")
    job = video_loop.prepare(options)
    seeds = [int(part) for part in options.seeds.split(",")]
    runs = [(name, seed) for seed in seeds for name in options.patterns.split(",")]
    print(f"held-out error at levels {', '.join(map(str, LEVELS))}, and of the last frame copied")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=context) as pool:
        futures = [pool.submit(train, *run, job, options.checks) for run in runs]
        rows = [row for future in futures for row in future.result()]
    print("\nat the end:")
    for name, seed in runs:
        print(describe([row for row in rows if (row.pattern, row.seed) == (name, seed)][-1]))
    path = options.output / "attention_quality.json"
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    print(f"rows: {path}")


if __name__ == "__main__":
    main()

"""What a generated dataset is made of, and the state of its folder.

A finished shard lies in `<output>/.generate/` until all are there.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..spec import CellSpec
from .episodes import Episode
from .lerobot_writer import assemble
from .shards import ShardSummary, read_summaries

if TYPE_CHECKING:
    from ..cell.task import Split

EPISODES_PER_SHARD = 20
SEED_STRIDE = 1_000_000
"""Scenes of neighbouring `--seed` values never overlap."""
RANDOM_MOTION = "random_motion"
CONFIG_PATH = Path("meta/generation.json")
RESULT_PATH = Path("meta/generation_result.json")
WORK_FOLDER = ".generate"
BYTES_PER_EPISODE = 200_000
"""Generous: 100 frames of two small cameras and the joints."""
SPARE_BYTES = 100_000_000


@dataclass(frozen=True)
class EpisodeJob:
    """One episode to record. `task` is "random_motion" for motion without a task."""

    task: str
    seed: int
    split: Split
    perturb: bool


@dataclass(frozen=True)
class GenerationConfig:
    """What a dataset is made of; stored beside it.

    Attributes:
        tasks: names of the tasks, or ("random_motion",).
        episodes: scenes recorded of each task.
        seed: scene i of a task has the seed `seed * SEED_STRIDE + i`.
        split: "train", "validation" or "test".
        perturb: disturb the motion now and then, so that recovery is in the data.
        keep_failures: keep episodes that missed their task (random motion is always kept).
        policy: folder of the checkpoints that drive until the expert takes over; "" for none.
        policy_latency_ms: modelled latency with which they drive.
        intervention_from_s: the expert takes over after this time at the earliest, s.
        intervention_until_s: and after this time at the latest, s. Scenes that the policy has
            finished by then give no episode.
    """

    tasks: tuple[str, ...]
    episodes: int
    seed: int
    split: Split
    perturb: bool
    keep_failures: bool
    policy: str = ""
    policy_latency_ms: float = 0.0
    intervention_from_s: float = 0.4
    intervention_until_s: float = 6.0

    def jobs(self) -> list[list[EpisodeJob]]:
        """The episodes of every shard; tasks take turns."""
        shards = []
        for first in range(0, self.episodes, EPISODES_PER_SHARD):
            scenes = range(first, min(first + EPISODES_PER_SHARD, self.episodes))
            for task in self.tasks:
                seeds = (self.seed * SEED_STRIDE + scene for scene in scenes)
                shards.append([EpisodeJob(task, seed, self.split, self.perturb) for seed in seeds])
        return shards

    def keeps(self, episode: Episode) -> bool:
        """Whether a recorded episode enters the dataset."""
        return self.keep_failures or episode.success or episode.task == RANDOM_MOTION


@dataclass(frozen=True)
class GenerationResult:
    """What lies in the dataset now."""

    recorded: int
    succeeded: int
    kept: int
    frames: int
    complete: bool


def read_config(root: Path) -> GenerationConfig | None:
    """The configuration of the dataset at `root`, None where nothing was begun."""
    path = root / CONFIG_PATH
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text())
        return GenerationConfig(**{**values, "tasks": tuple(values["tasks"])})
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}); generate into another folder") from error


def begin(root: Path, config: GenerationConfig) -> None:
    """Make the folder, or see that what was begun there has the same configuration.

    Raises:
        UserError: another configuration (the first difference is named), a dataset made
            elsewhere, or too little space on the disk.
    """
    existing = read_config(root)
    if existing is None:
        if (root / "meta").exists() or (root / "data").exists():
            raise UserError(f"{root} holds a dataset made elsewhere; choose another --output")
        _require_space(root, config)
        _write_json(root / CONFIG_PATH, asdict(config))
        return
    for field in fields(config):
        old, new = getattr(existing, field.name), getattr(config, field.name)
        if old != new:
            raise UserError(
                f"{root} was generated with {field.name} = {_words(old)}, now {_words(new)} is "
                "asked; choose another --output (training takes several datasets)"
            )


def finished_result(root: Path) -> GenerationResult | None:
    """What was generated, None while shards are missing."""
    path = root / RESULT_PATH
    return GenerationResult(**json.loads(path.read_text())) if path.is_file() else None


def remove_unfinished(root: Path) -> None:
    """Remove what an interrupted run left half written."""
    for folder in (root / WORK_FOLDER).glob("tmp-*"):
        shutil.rmtree(folder, ignore_errors=True)


def remove_work(root: Path) -> None:
    """Remove the folder of shards; the dataset holds all of them."""
    shutil.rmtree(root / WORK_FOLDER, ignore_errors=True)


def finalise(root: Path, config: GenerationConfig, spec: CellSpec) -> GenerationResult:
    """Assemble the finished shards; once all are there, the work folder goes."""
    work = root / WORK_FOLDER
    total = len(config.jobs())
    summaries = read_summaries(work)
    ordered: list[ShardSummary] = [summaries[number] for number in sorted(summaries)]
    assemble(root, work, ordered, spec)
    result = GenerationResult(
        recorded=sum(summary.recorded for summary in ordered),
        succeeded=sum(summary.succeeded for summary in ordered),
        kept=sum(summary.kept for summary in ordered),
        frames=sum(summary.frames for summary in ordered),
        complete=len(ordered) == total,
    )
    if result.complete:
        _write_json(root / RESULT_PATH, asdict(result))
        remove_work(root)
    return result


def _require_space(root: Path, config: GenerationConfig) -> None:
    existing = root.absolute()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    needed = len(config.tasks) * config.episodes * BYTES_PER_EPISODE + SPARE_BYTES
    if free < needed:
        raise UserError(
            f"{existing} has {free / 1e9:.1f} GB free, about {needed / 1e9:.1f} GB are needed for "
            f"{len(config.tasks) * config.episodes} episodes; free some or choose another --output"
        )


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(values, indent=4))
    os.replace(temporary, path)


def _words(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

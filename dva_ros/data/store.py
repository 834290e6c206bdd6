"""Episodes at the model's resolution, from one or more datasets, memory-mapped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..spec import CellSpec
from .store_cache import EPISODES_FILE, open_cache


class _FrameArrays:
    """Frame arrays one after the other; files are opened again in another process."""

    def __init__(self, sources: Sequence[Path | np.ndarray]) -> None:
        self._sources = list(sources)
        self._open()

    def _open(self) -> None:
        self._arrays: list[np.ndarray] = [
            np.load(source, mmap_mode="r") if isinstance(source, Path) else source
            for source in self._sources
        ]
        self._ends = np.cumsum([len(array) for array in self._arrays])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getstate__(self) -> dict[str, Any]:
        return {"_sources": self._sources}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def gather(self, indices: np.ndarray) -> np.ndarray:
        flat = np.asarray(indices, dtype=np.int64).reshape(-1)
        if flat.size and (flat.min() < 0 or flat.max() >= len(self)):
            raise IndexError(f"frame indices must lie in 0..{len(self) - 1}")
        result = np.empty((flat.size, *self._arrays[0].shape[1:]), dtype=np.uint8)
        owner = np.searchsorted(self._ends, flat, side="right")
        for number in np.unique(owner):
            mine = owner == number
            first = self._ends[number] - len(self._arrays[number])
            result[mine] = self._arrays[number][flat[mine] - first]
        return result.reshape(*np.shape(indices), *result.shape[1:])


@dataclass(frozen=True)
class EpisodeStore:
    """E episodes in N frames. Reach frames through `starts` and `lengths`.

    The arrays over frames are global: views share them, and rows of damaged episodes are zero.

    Attributes:
        spec: cameras, joints and period.
        state: float32 [N, J], measured joint positions.
        command: float32 [N, J], the joint command at each frame.
        clean: bool [N], False where a perturbation was being injected.
        starts: int64 [E], first frame of each episode.
        lengths: int64 [E], frames of each episode.
        instructions, tasks: [E], in words; the task's name.
        success: bool [E].
        seeds: int64 [E], seeds of the episodes.
    """

    spec: CellSpec
    _frames: _FrameArrays
    state: np.ndarray
    command: np.ndarray
    clean: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    instructions: list[str]
    tasks: list[str]
    success: np.ndarray
    seeds: np.ndarray

    @staticmethod
    def open(
        dataset_roots: Sequence[Path | str],
        spec: CellSpec,
        cache_dir: Path | None = None,
        workers: int = 2,
    ) -> EpisodeStore:
        """Open datasets as one; the first time their videos are decoded, with progress.

        Args:
            dataset_roots: LeRobot datasets.
            spec: what the model sees.
            cache_dir: where the decoded arrays go; `<root>/.cache` of each dataset by default.
            workers: processes that decode.

        Raises:
            UserError: a folder is no dataset, does not fit `spec`, or the disk is too full.
        """
        if not dataset_roots:
            raise UserError("no dataset was given")
        roots = [Path(root) for root in dataset_roots]
        folders = [open_cache(root, spec, cache_dir, workers) for root in roots]
        frames = _FrameArrays([folder / "frames.npy" for folder in folders])
        rows, first = [], 0
        for folder in folders:
            for row in json.loads((folder / EPISODES_FILE).read_text())["episodes"]:
                rows.append({**row, "start": row["start"] + first})
            first += len(np.load(folder / "clean.npy", mmap_mode="r"))

        def joined(name: str) -> np.ndarray:
            return np.concatenate([np.load(folder / f"{name}.npy") for folder in folders])

        return EpisodeStore(
            spec=spec,
            _frames=frames,
            state=joined("state"),
            command=joined("command"),
            clean=joined("clean"),
            starts=np.array([row["start"] for row in rows], dtype=np.int64),
            lengths=np.array([row["length"] for row in rows], dtype=np.int64),
            instructions=[row["instruction"] for row in rows],
            tasks=[row["task"] for row in rows],
            success=np.array([row["success"] for row in rows], dtype=bool),
            seeds=np.array([row["seed"] for row in rows], dtype=np.int64),
        )

    @staticmethod
    def from_arrays(
        spec: CellSpec,
        frames: np.ndarray,
        state: np.ndarray,
        command: np.ndarray,
        clean: np.ndarray,
        lengths: Sequence[int],
        instructions: Sequence[str],
        tasks: Sequence[str] | None = None,
        success: Sequence[bool] | None = None,
    ) -> EpisodeStore:
        """A store of arrays in memory: episodes of `lengths` frames, one after the other."""
        count = len(lengths)
        ends = np.cumsum(np.asarray(lengths, dtype=np.int64))
        if len(frames) != ends[-1]:
            raise ValueError(f"lengths add up to {ends[-1]}, there are {len(frames)} frames")
        return EpisodeStore(
            spec=spec,
            _frames=_FrameArrays([frames]),
            state=state,
            command=command,
            clean=clean,
            starts=ends - np.asarray(lengths, dtype=np.int64),
            lengths=np.asarray(lengths, dtype=np.int64),
            instructions=list(instructions),
            tasks=list(tasks if tasks is not None else instructions),
            success=np.ones(count, dtype=bool) if success is None else np.asarray(success),
            seeds=np.arange(count, dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def num_frames(self) -> int:
        """N, over all episodes of all views."""
        return len(self._frames)

    def gather_frames(self, indices: np.ndarray) -> np.ndarray:
        """Copy frames into memory.

        Args:
            indices: global frame indices, integers of any shape.

        Returns:
            uint8 [*indices.shape, mosaic_height, mosaic_width, 3].

        Raises:
            IndexError: an index is negative or not below N.
        """
        return self._frames.gather(indices)

    def select(self, episodes: np.ndarray | Sequence[int]) -> EpisodeStore:
        """A view of some episodes, in the order given."""
        chosen = np.asarray(episodes, dtype=np.int64)
        return replace(
            self,
            starts=self.starts[chosen],
            lengths=self.lengths[chosen],
            instructions=[self.instructions[episode] for episode in chosen],
            tasks=[self.tasks[episode] for episode in chosen],
            success=self.success[chosen],
            seeds=self.seeds[chosen],
        )

    def split(
        self, validation_fraction: float = 0.05, seed: int = 0
    ) -> tuple[EpisodeStore, EpisodeStore]:
        """Two views, (training, validation), of whole episodes.

        The task and the seed of an episode decide, so that it stays on its side when data is
        added. Each view has at least one episode if there are two.
        """
        draws = np.array(
            [
                np.random.default_rng([seed, scene, *task.encode()]).random()
                for scene, task in zip(self.seeds.tolist(), self.tasks, strict=True)
            ]
        )
        held_out = draws <= max(validation_fraction, draws.min())
        if held_out.all():
            held_out = draws < draws.max()
        return self.select(np.flatnonzero(~held_out)), self.select(np.flatnonzero(held_out))

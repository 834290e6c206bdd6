"""Clips imagined by the video model in real contexts, kept on disk for inverse dynamics."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..data.generation_plan import RANDOM_MOTION
from ..data.progress import progress_bar
from ..data.store import EpisodeStore
from ..errors import UserError

CLIPS_FILE = "clips.npy"
ANCHORS_FILE = "anchors.npy"
STATE_FILE = "state.json"
STRIDE = 4
SAVE_EVERY = 64


class ClipPredictor(Protocol):
    """What is asked of `dva_ros.video.predictor.VideoPredictor`."""

    def reset(self, instruction: str) -> None: ...

    def append(self, mosaic: np.ndarray, state: np.ndarray) -> int: ...

    def predict(self, committed: np.ndarray) -> np.ndarray: ...


def imagine(
    predictor: ClipPredictor,
    store: EpisodeStore,
    horizon: int,
    committed: tuple[int, int],
    rng: np.random.Generator,
) -> Iterator[tuple[int, np.ndarray]]:
    """Imagine clips in the context of real episodes of a task.

    Every episode is played once, in random order, and imagined from every fourth frame; never
    over frames in which a disturbance was injected, unless its motion was committed.

    Args:
        predictor: video model.
        store: episodes.
        horizon: H.
        committed: least and greatest number of committed frames d, drawn evenly.
        rng: draws order, phase and d.

    Yields:
        Global index of frame n, and the clip uint8 [H, mosaic_height, mosaic_width, 3].
    """
    with_task = [e for e in range(len(store)) if store.tasks[e] != RANDOM_MOTION]
    for episode in rng.permutation(with_task):
        start, length = int(store.starts[episode]), int(store.lengths[episode])
        predictor.reset(store.instructions[episode])
        phase = int(rng.integers(STRIDE))
        for n in range(start, start + length - horizon):
            predictor.append(store.gather_frames(np.array(n)), store.state[n])
            if (n - start) % STRIDE != phase:
                continue
            d = int(rng.integers(committed[0], committed[1] + 1))
            # Past the committed motion a disturbance is in no imagination: the recorded commands
            # would be a wrong answer to the clip.
            if store.clean[n + 1 + d : n + 1 + horizon].all():
                yield n, predictor.predict(store.command[n + 1 : n + 1 + d])


@dataclass(frozen=True)
class PredictedClips:
    """Imagined clips and where they begin.

    Attributes:
        anchors: int64 [M], global index of frame n of each clip.
        clips: uint8 [M, H, mosaic_height, mosaic_width, 3], memory-mapped.
    """

    anchors: np.ndarray
    clips: np.ndarray

    @staticmethod
    def open(folder: Path) -> PredictedClips:
        """Open what `generate` finished."""
        return PredictedClips(
            np.load(folder / ANCHORS_FILE), np.load(folder / CLIPS_FILE, mmap_mode="r")
        )

    @staticmethod
    def generate(
        folder: Path,
        predictor: ClipPredictor,
        source: dict[str, str],
        store: EpisodeStore,
        horizon: int,
        max_committed: int,
        count: int,
        seed: int,
    ) -> PredictedClips:
        """Imagine `count` clips into `folder`, or continue, or take what is there already.

        Args:
            folder: where they lie.
            predictor: video model.
            source: names checkpoint and data; clips of another source are made again.
            store: training episodes.
            horizon: H.
            max_committed: greatest d.
            count: how many.
            seed: of what is drawn.

        Raises:
            UserError: no episode is of a task, or all are too short.
        """
        wanted = {**source, "count": count, "seed": seed}
        state_file = folder / STATE_FILE
        state = json.loads(state_file.read_text()) if state_file.exists() else {}
        if state.get("source") == wanted and state["done"] == count:
            return PredictedClips.open(folder)
        done = state["done"] if state.get("source") == wanted else 0
        shape = (count, horizon, store.spec.mosaic_height, store.spec.mosaic_width, 3)
        folder.mkdir(parents=True, exist_ok=True)
        if not done:
            np.save(folder / ANCHORS_FILE, np.zeros(count, np.int64))
        mode = "r+" if done else "w+"
        clips = np.lib.format.open_memmap(
            folder / CLIPS_FILE, mode=mode, dtype=np.uint8, shape=None if done else shape
        )
        anchors = np.load(folder / ANCHORS_FILE)
        bar = progress_bar(total=count, initial=done, desc="imagining clips", unit="clip")
        # Every stretch draws anew, so that a continued run makes other clips than its beginning.
        while done < count:
            before = done
            rng = np.random.default_rng((seed, done))
            for anchor, clip in imagine(predictor, store, horizon, (0, max_committed), rng):
                clips[done], anchors[done] = clip, anchor
                done += 1
                bar.update()
                if done % SAVE_EVERY == 0 or done == count:
                    clips.flush()
                    _save_progress(folder, anchors, wanted, done)
                if done == count:
                    break
            if done == before:
                raise UserError(
                    "no clip can be imagined: no episode of the data is of a task and has more "
                    f"than {horizon} frames"
                )
        bar.close()
        return PredictedClips.open(folder)


def _save_progress(
    folder: Path, anchors: np.ndarray, source: dict[str, object], done: int
) -> None:
    np.save(folder / ANCHORS_FILE, anchors)
    temporary = folder / f"{STATE_FILE}.tmp"
    temporary.write_text(json.dumps({"source": source, "done": done}))
    os.replace(temporary, folder / STATE_FILE)

"""What a video training run leaves to look at: two CSV files, a plot and a contact sheet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dva_ros.video.predictor import VideoPredictor

from ..data.store import EpisodeStore
from .video_validation import LEVELS, ValidationResult

METRICS_FILE = "metrics.csv"
VALIDATION_FILE = "validation.csv"
PLOT_FILE = "loss.png"
CONTACT_SHEET_FILE = "contact_sheet.png"

METRICS_COLUMNS = ("step", "seconds", "loss", "lr_factor", "grad_norm", "frames_per_s")
VALIDATION_COLUMNS = (
    "step",
    "seconds",
    *(f"mse_{level}" for level in LEVELS),
    "mse_copy_last",
    "mse_last_frame",
)
_GAP = 3
_SCALE = 2


def append_row(path: Path, columns: Sequence[str], values: Sequence[float]) -> None:
    """Add a row to a CSV file, with a header if it is new."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(columns)
        writer.writerow([f"{value:.6g}" for value in values])


def append_validation(folder: Path, step: int, seconds: float, result: ValidationResult) -> None:
    """Add a row to the validation file."""
    row = (step, seconds, *result.by_level, result.copy_last, result.by_frame[-1])
    append_row(folder / VALIDATION_FILE, VALIDATION_COLUMNS, row)


def plot_losses(folder: Path) -> None:
    """Draw training loss and validation errors over wall time from the CSV files."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    if (metrics := _read(folder / METRICS_FILE)) is not None:
        left.semilogy(metrics["seconds"] / 60, metrics["loss"], linewidth=0.8)
    left.set(title="training loss", xlabel="minutes")
    if (validation := _read(folder / VALIDATION_FILE)) is not None:
        for level in LEVELS:
            right.semilogy(
                validation["seconds"] / 60, validation[f"mse_{level}"], label=f"level {level}"
            )
        right.semilogy(
            validation["seconds"] / 60, validation["mse_copy_last"], "k:", label="copy last"
        )
        right.legend()
    right.set(title="held-out error by noise level", xlabel="minutes")
    figure.savefig(folder / PLOT_FILE, dpi=110)


def draw_contact_sheet(
    predictor: VideoPredictor, store: EpisodeStore, path: Path, clips: int = 6, seed: int = 0
) -> None:
    """Real clips above predicted ones, a pair of rows for each; the last real frame is left."""
    rng = np.random.default_rng(seed)
    tasks = [i for i in range(len(store)) if store.lengths[i] > predictor.config.horizon + 2]
    rows: list[np.ndarray] = []
    for episode in rng.choice(tasks, size=min(clips, len(tasks)), replace=False):
        rows.extend(_pair_of_rows(predictor, store, int(episode), rng))
    sheet = Image.fromarray(np.concatenate(rows))
    size = (sheet.width * _SCALE, sheet.height * _SCALE)
    sheet.resize(size, Image.Resampling.NEAREST).save(path)


def _pair_of_rows(
    predictor: VideoPredictor, store: EpisodeStore, episode: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    config = predictor.config
    length, start = int(store.lengths[episode]), int(store.starts[episode])
    newest = int(rng.integers(1, length - config.horizon))
    first = max(0, newest + 1 - config.context_frames)
    rows = start + np.arange(first, newest + config.horizon + 1)
    frames = store.gather_frames(rows)
    predictor.reset(store.instructions[episode])
    context = newest - first + 1
    for frame, state in zip(frames[:context], store.state[rows[:context]], strict=True):
        predictor.append(frame, state)
    committed = store.command[rows[context : context + config.typical_committed]]
    predicted = predictor.predict(committed)
    last = frames[context - 1]
    real_row = _row([last, *frames[context:]])
    return real_row, _row([np.zeros_like(last), *predicted], bottom=2 * _GAP)


def _row(frames: Sequence[np.ndarray], bottom: int = _GAP) -> np.ndarray:
    border = ((0, bottom), (0, _GAP), (0, 0))
    return np.concatenate([np.pad(f, border, constant_values=255) for f in frames], axis=1)


def _read(path: Path) -> dict[str, np.ndarray] | None:
    if not path.exists():
        return None
    table = np.genfromtxt(path, delimiter=",", names=True, deletechars="", ndmin=1)
    return {name: table[name] for name in table.dtype.names or ()}

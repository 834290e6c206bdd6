"""Metrics, plot and contact sheet of an inverse dynamics training."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ..spec import CellSpec
from .end_effector import end_effectors
from .idm_data import Windows

SHEET_SCALE = 2
AXES = ("x", "y", "z")


def write_metrics(path: Path, history: list[dict[str, float]]) -> None:
    """CSV with one row a validation."""
    if not history:
        return
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def write_plot(path: Path, history: list[dict[str, float]]) -> None:
    """Loss and held-out errors over the minutes of training."""
    minutes = [row["elapsed_s"] / 60 for row in history]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot(minutes, [row["loss"] for row in history], label="training loss")
    left.set_yscale("log")
    right.plot(minutes, [row["effector_median_mm"] for row in history], label="median")
    right.plot(minutes, [row["effector_p90_mm"] for row in history], label="90th percentile")
    right.axhline(5, color="grey", linestyle=":", label="5 mm")
    right.set_yscale("log")
    right.set_ylabel("end-effector error on held-out clips, mm")
    for axes in (left, right):
        axes.set_xlabel("minutes")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def write_contact_sheet(
    path: Path, windows: Windows, predicted: np.ndarray, spec: CellSpec
) -> None:
    """Each window: its frames, and the end effectors' way commanded (line) and decoded (dots).

    Args:
        path: PNG to write.
        windows: a few windows [B].
        predicted: decoded commands [B, H, J].
        spec: of the cell.
    """
    rows, horizon = predicted.shape[:2]
    figure, axes = plt.subplots(
        rows, 3, figsize=(17, 2.1 * rows), width_ratios=(6, 1.6, 1.6), squeeze=False
    )
    truth = end_effectors(windows.command, spec)
    start = end_effectors(windows.state, spec)[:, None]
    decoded = end_effectors(predicted, spec)
    steps = np.arange(1, horizon + 1) * spec.frame_period_s
    for row in range(rows):
        axes[row, 0].imshow(_strip(windows.frames[row]))
        axes[row, 0].set_axis_off()
        for arm, side in enumerate(("left", "right")):
            panel = axes[row, 1 + arm]
            for axis, name in enumerate(AXES):
                color = f"C{axis}"
                travel = 1000 * (truth - start)[row, :, arm, axis]
                panel.plot(steps, travel, color=color, label=f"{name} commanded")
                travel = 1000 * (decoded - start)[row, :, arm, axis]
                panel.plot(steps, travel, "o", color=color, markersize=3, label=f"{name} decoded")
            panel.set_title(f"{side} grasp point, mm", fontsize=8)
            panel.tick_params(labelsize=7)
            panel.grid(alpha=0.3)
    axes[0, 2].legend(fontsize=5, ncols=2)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _strip(frames: np.ndarray) -> np.ndarray:
    """Frames [F, h, w, 3] side by side, enlarged."""
    large = [
        cv2.resize(frame, None, fx=SHEET_SCALE, fy=SHEET_SCALE, interpolation=cv2.INTER_NEAREST)
        for frame in frames
    ]
    return np.concatenate(large, axis=1)

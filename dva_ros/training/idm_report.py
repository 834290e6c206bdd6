"""Metrics, plot and contact sheet of an inverse dynamics training."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ..spec import CellSpec
from .end_effector import EndEffectors
from .idm_data import Windows

SHEET_SCALE = 2
AXES = ("x", "y", "z")
SHOWN_JOINTS = 3
"""Joints whose way a contact sheet shows where it cannot show that of end effectors."""


History = list[dict[str, float | None]]
"""One row a validation."""


def write_metrics(path: Path, history: History) -> None:
    """CSV with one row a validation; what one of them has not is empty."""
    if not history:
        return
    names = list(dict.fromkeys(name for row in history for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=names)
        writer.writeheader()
        writer.writerows(history)


def write_plot(path: Path, history: History) -> None:
    """Loss and held-out errors over the minutes of training."""
    minutes = _column(history, "elapsed_s") / 60
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot(minutes, _column(history, "loss"), label="training loss")
    left.set_yscale("log")
    if any("effector_median_mm" in row for row in history):
        right.plot(minutes, _column(history, "effector_median_mm"), label="median")
        right.plot(minutes, _column(history, "effector_p90_mm"), label="90th percentile")
        right.axhline(5, color="grey", linestyle=":", label="5 mm")
        right.set_ylabel("end-effector error on held-out clips, mm")
    else:
        right.plot(minutes, _column(history, "joint_mae_rad"), label="mean over arm joints")
        right.plot(minutes, _column(history, "joint_hold_mae_rad"), ":", label="held still")
        right.set_ylabel("joint error on held-out clips, rad (no URDF given)")
    right.set_yscale("log")
    for axes in (left, right):
        axes.set_xlabel("minutes")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def write_contact_sheet(
    path: Path,
    windows: Windows,
    predicted: np.ndarray,
    spec: CellSpec,
    effectors: EndEffectors | None,
) -> None:
    """Each window: its frames, and the way commanded (line) and decoded (dots).

    The way is that of each end effector, else that of the joints that are commanded farthest.

    Args:
        path: PNG to write.
        windows: a few windows [B].
        predicted: decoded commands [B, H, J].
        spec: of the cell.
        effectors: ends of the arms, where they are known.
    """
    rows, horizon = predicted.shape[:2]
    panels = [_panels(windows, predicted, row, spec, effectors) for row in range(rows)]
    columns = len(panels[0])
    figure, axes = plt.subplots(
        rows,
        1 + columns,
        figsize=(10.5 + 3.2 * columns, 2.1 * rows),
        width_ratios=(6, *(1.6,) * columns),
        squeeze=False,
    )
    steps = np.arange(1, horizon + 1) * spec.frame_period_s
    for row in range(rows):
        axes[row, 0].imshow(_strip(windows.frames[row]))
        axes[row, 0].set_axis_off()
        for axis, panel in zip(axes[row, 1:], panels[row], strict=True):
            for line, name in enumerate(panel.names):
                color, commanded = f"C{line}", panel.commanded[:, line]
                axis.plot(steps, commanded, color=color, label=f"{name} commanded")
                decoded = panel.decoded[:, line]
                axis.plot(steps, decoded, "o", color=color, markersize=3, label=f"{name} decoded")
            axis.set_title(panel.title, fontsize=8)
            axis.tick_params(labelsize=7)
            axis.grid(alpha=0.3)
            if effectors is None:
                axis.legend(fontsize=5)
    if effectors is not None:
        axes[0, -1].legend(fontsize=5, ncols=2)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


@dataclass(frozen=True)
class _Panel:
    """Ways from the measured state, [H, L] for L `names`."""

    title: str
    names: tuple[str, ...]
    commanded: np.ndarray
    decoded: np.ndarray


def _panels(
    windows: Windows,
    predicted: np.ndarray,
    row: int,
    spec: CellSpec,
    effectors: EndEffectors | None,
) -> list[_Panel]:
    state, command, decoded = windows.state[row], windows.command[row], predicted[row]
    if effectors is None:
        way = np.where(spec.is_gripper, 0.0, np.abs(command - state).max(axis=0))
        shown = np.sort(np.argsort(-way)[:SHOWN_JOINTS])
        names = tuple(spec.joint_names[joint] for joint in shown)
        title = "joints that move most, rad (no URDF given)"
        return [_Panel(title, names, (command - state)[:, shown], (decoded - state)[:, shown])]
    start, truth, found = (effectors.positions(q) for q in (state, command, decoded))
    return [
        _Panel(f"{tip}, mm", AXES, 1000 * (truth - start)[:, arm], 1000 * (found - start)[:, arm])
        for arm, tip in enumerate(effectors.tips)
    ]


def _column(history: History, name: str) -> np.ndarray:
    """Values of all rows, float64; NaN where a row has none."""
    return np.array([row.get(name) for row in history], dtype=np.float64)


def _strip(frames: np.ndarray) -> np.ndarray:
    """Frames [F, h, w, 3] side by side, enlarged."""
    large = [
        cv2.resize(frame, None, fx=SHEET_SCALE, fy=SHEET_SCALE, interpolation=cv2.INTER_NEAREST)
        for frame in frames
    ]
    return np.concatenate(large, axis=1)

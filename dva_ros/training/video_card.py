"""The model card of a video checkpoint, and the commands that made it."""

from __future__ import annotations

import csv
import shlex
import sys
from pathlib import Path

from ..video.config import VideoModelConfig
from .video_report import VALIDATION_FILE

COMMANDS_FILE = "commands.txt"
CARD_FILE = "README.md"


def record_command(output: Path, step: int) -> None:
    """Append the present command line and the step at which it starts to the run's folder."""
    arguments = shlex.join(["python", "-m", "dva_ros", *sys.argv[1:]])
    with (output / COMMANDS_FILE).open("a") as file:
        file.write(f"from step {step}: {arguments}\n")


def write_card(
    output: Path, config: VideoModelConfig, parameters: int, step: int, elapsed_s: float
) -> None:
    """Write README.md into the run's folder from its settings, commands and last validation."""
    spec = config.spec
    commands = output / COMMANDS_FILE
    made_by = commands.read_text() if commands.exists() else "(not recorded)\n"
    card = f"""# Causal video model

Predicts frames n+1 .. n+{config.horizon} ({spec.mosaic_height}x{spec.mosaic_width} pixels, cameras
{", ".join(camera.name for camera in spec.cameras)} stacked, {spec.frame_period_s} s apart) from
the real frames up to n, measured joints, the instruction, and the motion already committed for up
to {config.max_committed} of these frames.

- Parameters: {parameters / 1e6:.2f} million; width {config.width}, {config.depth} blocks,
  {config.heads} heads, patches of {config.patch} that see {config.patch_margin} pixels more,
  convolutional stem of width {config.stem_width}, attention over {_windows(config)} frames
- Training: {step} steps in {elapsed_s / 60:.0f} minutes of wall time
- Commands, in the order they were given:

```
{made_by}```

## Error on held-out episodes

Mean squared error of the predicted clean clip, pixels in -1..1, by the noise level it was
predicted from (0 is noise only); `mse_copy_last` repeats the last real frame.

{_last_row(output / VALIDATION_FILE)}
"""
    (output / CARD_FILE).write_text(card)


def _windows(config: VideoModelConfig) -> str:
    frames = config.context_frames
    if min(config.windows(frames)) == frames:
        return f"{frames}"
    return f"{frames}, in local layers {config.local_frames},"


def _last_row(path: Path) -> str:
    if not path.exists():
        return "Not measured yet."
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    header, last = rows[0], rows[-1]
    numbers = [f"{float(value):.6g}" for value in last]
    rule = ["---"] * len(header)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, numbers))

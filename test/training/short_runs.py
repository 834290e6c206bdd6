"""Settings of training runs of a few steps."""

from __future__ import annotations

from pathlib import Path

from dva_ros.training.video_settings import VideoSettings


def settings(output: Path, **changes: object) -> VideoSettings:
    values: dict[str, object] = {
        "output": output,
        "steps": 10,
        "ranks": 1,
        "num_real": 8,
        "stride": 2,
        "warmup_steps": 5,
    }
    return VideoSettings(**{**values, **changes})  # type: ignore[arg-type]

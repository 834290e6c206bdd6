"""What a video training run was asked to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .optimizer import OptimizerConfig

_FINAL_LR = 0.02


@dataclass(frozen=True)
class VideoSettings:
    """Options of one run.

    Attributes:
        output: the run's folder.
        steps: length in steps, or None.
        minutes: length in wall time, or None; the schedule follows whichever is given.
        ranks: data-parallel processes.
        batch: sequences per rank and step.
        num_real: real frames of a sequence.
        stride: frames between the clips of a sequence.
        seed: of the initial weights, the windows and the noise.
        warmup_steps: steps in which the learning rate rises.
        validate_s, save_s: wall time between validations and between saved states.
        motion_weight: of the error of the motion readout beside that of the video.
        emphasis: word -> how many times as often episodes are drawn whose instruction has it.
        device: "cpu" or "cuda".
        initial: checkpoint to start from, or None.
        distill_steps: learn to give in one step what the initial checkpoint gives in so many; 0:
            learn from the recorded frames.
        block_sparse: attend over time by FlexAttention (see `VideoModel`).
        resume: go on with the state found in `output`.
    """

    output: Path
    steps: int | None = None
    minutes: float | None = None
    ranks: int = 2
    batch: int = 2
    num_real: int = 48
    stride: int = 4
    seed: int = 0
    warmup_steps: int = 50
    validate_s: float = 300.0
    save_s: float = 180.0
    motion_weight: float = 0.02
    emphasis: Mapping[str, float] = field(default_factory=dict)
    device: str = "cpu"
    initial: Path | None = None
    distill_steps: int = 0
    block_sparse: bool = False
    resume: bool = False
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise ValueError("give either steps or minutes")
        if self.distill_steps and self.initial is None:
            raise ValueError("distillation needs an initial checkpoint, the teacher")

    def progress(self, step: int, elapsed_s: float) -> float:
        """How much of the run is done, 0..1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.minutes is not None
        return min(1.0, elapsed_s / (60 * self.minutes))

    def lr_factor(self, step: int, progress: float) -> float:
        """Warm-up, then a cosine down to a small remainder."""
        warmup = min(1.0, (step + 1) / self.warmup_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        return warmup * (_FINAL_LR + (1 - _FINAL_LR) * cosine)

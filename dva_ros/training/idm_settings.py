"""What a training of the inverse dynamics model was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class IdmSettings:
    """One training run.

    Attributes:
        data: LeRobot datasets, of tasks and of random motion.
        output: folder of the checkpoint, the training state, the metrics and pictures.
        minutes: wall time to train in all, resumed parts included; None to count steps.
        steps: optimiser steps in all; None to count minutes.
        batch: windows of one rank's step.
        learning_rate: greatest rate of AdamW.
        ranks: single-threaded processes.
        seed: of weights, sampling and augmentation.
        validation_fraction: share of episodes that is held out.
        validate_every_s: wall time between validations; the state is saved with each.
        predicted_by: video checkpoint whose imagined clips are mixed in, or None.
        predicted_clips: how many clips to imagine.
        predicted_share: share of training windows with an imagined clip.
        resume: go on with the state in `output`.
        device: of torch.
        urdf: description of the robot; None for the simulated cell's where the joints are its own.
        tip_links: ends of the arms in it; empty to find them.
    """

    data: tuple[Path, ...]
    output: Path
    minutes: float | None = None
    steps: int | None = None
    batch: int = 16
    learning_rate: float = 1e-3
    ranks: int = 1
    seed: int = 0
    validation_fraction: float = 0.05
    validate_every_s: float = 60.0
    predicted_by: Path | None = None
    predicted_clips: int = 2000
    predicted_share: float = 0.5
    resume: bool = False
    device: str = "cpu"
    urdf: Path | None = None
    tip_links: tuple[str, ...] = ()

    def command(self) -> str:
        """The command line that does the same."""
        data = ",".join(map(str, self.data))
        words = [f"python -m dva_ros train idm --data {data} --output {self.output}"]
        words.append(f"--steps {self.steps}" if self.steps else f"--minutes {self.minutes:g}")
        words.append(f"--batch {self.batch} --ranks {self.ranks} --seed {self.seed}")
        if self.predicted_by is not None:
            words.append(
                f"--predicted-by {self.predicted_by} --predicted-clips {self.predicted_clips}"
            )
        if self.urdf is not None:
            words.append(f"--urdf {self.urdf}")
        if self.tip_links:
            words.append(f"--tip-links {','.join(self.tip_links)}")
        return " ".join(words)

    def fraction_done(self, step: int, elapsed_s: float) -> float:
        """How much of the run is over, 0..1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.minutes is not None
        return min(1.0, elapsed_s / (60 * self.minutes))

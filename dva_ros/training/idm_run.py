"""One rank of an inverse dynamics training: steps, validation, saving, export."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from tqdm import tqdm

from ..data.dataset_spec import common_spec
from ..data.progress import progress_bar
from ..data.store import EpisodeStore
from ..errors import UserError
from ..inverse_dynamics.checkpoint import save_checkpoint
from ..inverse_dynamics.config import InverseDynamicsConfig
from ..spec import CellSpec
from .data_parallel import Group, StopSignal
from .idm_accuracy import IdmAccuracy
from .idm_card import model_card
from .idm_data import Windows, WindowSource
from .idm_report import write_contact_sheet, write_metrics, write_plot
from .idm_settings import IdmSettings
from .idm_trainer import STATE_FILE, IdmTrainer
from .predicted_clips import PredictedClips

CLIPS_FOLDER = "predicted"
VALIDATION_WINDOWS = 96
FINAL_WINDOWS = 512
SHEET_WINDOWS = 6
VALIDATION_BATCH = 16


def train_rank(group: Group, settings: IdmSettings) -> None:
    """Train on one rank; the work of `data_parallel.launch`.

    Raises:
        KeyboardInterrupt: a signal ended it before its time, after the state was saved.
    """
    store = EpisodeStore.open(settings.data, common_spec(settings.data))
    if not IdmRun(settings, group, store, config_for(store.spec)).run():
        raise KeyboardInterrupt


def config_for(spec: CellSpec) -> InverseDynamicsConfig:
    """The default network for a cell.

    Raises:
        UserError: the network cannot take its cameras.
    """
    try:
        return InverseDynamicsConfig(spec=spec)
    except ValueError as error:
        raise UserError(f"the data's cell does not fit the model: {error}") from error


class IdmRun:
    """Trains until the time or the steps are over, or a signal says stop."""

    def __init__(
        self,
        settings: IdmSettings,
        group: Group,
        store: EpisodeStore,
        config: InverseDynamicsConfig,
    ) -> None:
        self._settings = settings
        self._group = group
        train, validation = store.split(settings.validation_fraction)
        self._train = WindowSource(train, config)
        self._validation = WindowSource(validation, config)
        self._clips: PredictedClips | None = None
        if settings.predicted_by is not None:
            self._clips = PredictedClips.open(settings.output / CLIPS_FOLDER)
        self._stop = StopSignal().install()
        settings.output.mkdir(parents=True, exist_ok=True)
        state = settings.output / STATE_FILE
        if settings.resume:
            self._trainer = IdmTrainer.resume(state, config, settings)
            self._say(f"{state}: going on after {self._trainer.step} steps")
        else:
            self._trainer = IdmTrainer(config, self._train.statistics(), settings)

    def run(self) -> bool:
        """Train, then export; False where a signal ended it before its time."""
        settings, trainer = self._settings, self._trainer
        bar = self._progress_bar()
        validated, clock = trainer.elapsed_s, time.monotonic()
        losses: list[float] = []
        interrupted = False
        while not interrupted and self._fraction_done() < 1:
            rng = trainer.rng(self._group)
            windows, imagined = self._batch(rng)
            now = time.monotonic()
            trainer.elapsed_s, clock = trainer.elapsed_s + now - clock, now
            loss, interrupted = trainer.train_step(
                windows, imagined, rng, self._group, self._stop.received
            )
            losses.append(loss)
            if trainer.elapsed_s - validated >= settings.validate_every_s:
                validated = trainer.elapsed_s
                if self._group.rank == 0:
                    accuracy = self._validate(losses)
                    bar.set_postfix_str(accuracy.headline)
                losses = []
            bar.update((trainer.step if settings.steps else int(trainer.elapsed_s)) - bar.n)
        bar.close()
        if self._group.rank == 0:
            if losses and not interrupted:
                self._validate(losses)
            trainer.save(settings.output / STATE_FILE)
            if interrupted:
                self._say(f"saved after {trainer.step} steps; the same command goes on from there")
            else:
                self._export()
        return not interrupted

    def _batch(self, rng: np.random.Generator) -> tuple[Windows, np.ndarray]:
        """Random windows and, for each, whether its clip is an imagined one."""
        settings = self._settings
        chosen = rng.integers(self._train.anchors.size, size=settings.batch)
        imagined = np.zeros(settings.batch, dtype=bool)
        if self._clips is None:
            return self._train.gather(chosen), imagined
        imagined = rng.random(settings.batch) < settings.predicted_share
        clips = rng.integers(self._clips.anchors.size, size=int(imagined.sum()))
        chosen[imagined] = np.searchsorted(self._train.anchors, self._clips.anchors[clips])
        windows = self._train.gather(chosen)
        windows.frames[imagined, self._trainer.config.num_real_frames :] = self._clips.clips[clips]
        return windows, imagined

    def _validate(self, losses: list[float]) -> IdmAccuracy:
        """Measure on a few held-out windows, note it and save the state."""
        trainer, settings = self._trainer, self._settings
        accuracy = self._accuracy(self._validation.spread(VALIDATION_WINDOWS))
        trainer.history.append(
            {
                "step": trainer.step,
                "elapsed_s": round(trainer.elapsed_s, 1),
                "loss": float(np.mean(losses)),
                **accuracy.to_dict(),
            }
        )
        trainer.save(settings.output / STATE_FILE)
        write_metrics(settings.output / "metrics.csv", trainer.history)
        return accuracy

    def _accuracy(self, which: np.ndarray) -> IdmAccuracy:
        parts = [
            self._validation.gather(which[i : i + VALIDATION_BATCH])
            for i in range(0, which.size, VALIDATION_BATCH)
        ]
        return IdmAccuracy.measure(
            np.concatenate([self._trainer.predict(part) for part in parts]),
            np.concatenate([part.command for part in parts]),
            np.concatenate([part.state for part in parts]),
            self._trainer.config.spec,
            self._trainer.effectors,
        )

    def _export(self) -> None:
        """Write the checkpoint folder, the plot and the contact sheet."""
        trainer, settings = self._trainer, self._settings
        accuracy = self._accuracy(self._validation.spread(FINAL_WINDOWS))
        card = model_card(
            trainer.config,
            settings,
            {"real": accuracy},
            parameters=sum(p.numel() for p in trainer.net.parameters()),
            windows=self._train.anchors.size,
            steps=trainer.step,
            elapsed_s=trainer.elapsed_s,
            tips=trainer.effectors.tips if trainer.effectors is not None else (),
        )
        save_checkpoint(
            settings.output,
            trainer.config,
            trainer.statistics,
            dict(trainer.average.state_dict()),
            card,
        )
        write_metrics(settings.output / "metrics.csv", trainer.history)
        write_plot(settings.output / "training.png", trainer.history)
        some = self._validation.gather(self._validation.spread(SHEET_WINDOWS))
        write_contact_sheet(
            settings.output / "contact_sheet.png",
            some,
            trainer.predict(some),
            trainer.config.spec,
            trainer.effectors,
        )
        self._say(
            f"held-out error: {accuracy.headline}\n"
            f"checkpoint, training.png, contact_sheet.png, metrics.csv: {settings.output}"
        )

    def _fraction_done(self) -> float:
        return self._settings.fraction_done(self._trainer.step, self._trainer.elapsed_s)

    def _progress_bar(self) -> Any:
        settings, trainer = self._settings, self._trainer
        return progress_bar(
            total=settings.steps or int(60 * (settings.minutes or 0)),
            initial=trainer.step if settings.steps else int(trainer.elapsed_s),
            unit="step" if settings.steps else "s",
            desc="inverse dynamics",
            disable=self._group.rank != 0,
        )

    def _say(self, text: str) -> None:
        if self._group.rank == 0:
            tqdm.write(text)

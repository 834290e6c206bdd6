"""State and single steps of inverse dynamics training: network, average, optimiser."""

from __future__ import annotations

import copy
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..inverse_dynamics.config import InverseDynamicsConfig
from ..inverse_dynamics.model import InverseDynamicsNet
from ..inverse_dynamics.statistics import JointStatistics
from ..video.precision import fast_dtype
from .data_parallel import Group
from .end_effector import end_effectors_of
from .idm_augment import Augmentation
from .idm_data import Windows
from .idm_loss import IdmTargets, idm_loss
from .idm_settings import IdmSettings

STATE_FILE = "state.pt"
WARMUP_STEPS = 40
AVERAGE_DECAY = 0.995
GRADIENT_NORM = 1.0
WEIGHT_DECAY = 0.01


class IdmTrainer:
    """Everything that a step changes and that is saved to resume.

    Attributes:
        config: of the network.
        statistics: scales, fixed for the whole run.
        net: trained weights.
        average: exponential moving average of them; this is validated and exported.
        step: steps done.
        elapsed_s: wall time trained, over all resumed parts.
        history: rows of the metrics, one a validation.
        effectors: ends of the arms; None where no description of the robot is known.
    """

    def __init__(
        self, config: InverseDynamicsConfig, statistics: JointStatistics, settings: IdmSettings
    ) -> None:
        torch.manual_seed(settings.seed)
        self.config = config
        self.statistics = statistics
        self._settings = settings
        self.effectors = end_effectors_of(config.spec, settings.urdf, settings.tip_links)
        self._augmentation = Augmentation()
        self.net = InverseDynamicsNet(config).to(settings.device)
        self.net.low_precision = fast_dtype(settings.device) is torch.bfloat16
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        self._optimizer = torch.optim.AdamW(
            self.net.parameters(),
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=WEIGHT_DECAY,
        )
        self.step = 0
        self.elapsed_s = 0.0
        self.history: list[dict[str, float | None]] = []

    def rng(self, group: Group) -> np.random.Generator:
        """Source of everything random in the coming step of one rank; the same after resuming."""
        return np.random.default_rng((self._settings.seed, self.step, group.rank))

    def train_step(
        self,
        windows: Windows,
        imagined: np.ndarray,
        rng: np.random.Generator,
        group: Group,
        stop: bool,
    ) -> tuple[float, bool]:
        """One optimiser step on this rank's batch.

        Args:
            windows: the batch.
            imagined: bool [B], whether a window's clip came from the video model.
            rng: of `rng`.
            group: whose gradients are averaged.
            stop: this rank was asked to stop.

        Returns:
            The loss, averaged over the ranks, and whether any rank was asked to stop. The
            elapsed time becomes the ranks' mean too, so that all end at the same step.
        """
        frames = self._augmentation.apply(windows.frames, self.config, rng, imagined)
        predicted = self.net(self._on_device(frames), self.normalised_state(windows.state))
        targets = IdmTargets.of(windows, self.statistics, self.effectors)
        loss = idm_loss(predicted, targets.to(predicted.device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        shared = group.average_gradients(
            self.net.parameters(), torch.tensor([loss.item(), float(stop), self.elapsed_s])
        )
        self.elapsed_s = float(shared[2])
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), GRADIENT_NORM)
        for parameters in self._optimizer.param_groups:
            parameters["lr"] = self._learning_rate()
        self._optimizer.step()
        self.step += 1
        self._update_average()
        return float(shared[0]), bool(shared[1] > 0)

    def normalised_state(self, state: np.ndarray) -> Tensor:
        """The network's state input from measured states [B, J]."""
        statistics = self.statistics
        return self._on_device((state - statistics.state_mean) / statistics.state_scale)

    def predict(self, windows: Windows) -> np.ndarray:
        """Commands float32 [B, H, J] from the averaged weights."""
        with torch.inference_mode():
            offset = self.average(
                self._on_device(windows.frames), self.normalised_state(windows.state)
            )
        commands: np.ndarray = (
            windows.state[:, None] + offset.cpu().numpy() * self.statistics.offset_scale
        )
        return commands

    def save(self, path: Path) -> None:
        """Write the state; an interrupted write leaves the previous one."""
        temporary = path.with_suffix(".tmp")
        torch.save(self._state(), temporary)
        os.replace(temporary, path)

    @staticmethod
    def resume(path: Path, config: InverseDynamicsConfig, settings: IdmSettings) -> IdmTrainer:
        """Continue from a state written by `save`.

        Raises:
            UserError: the file is damaged or of another architecture.
        """
        try:
            state = torch.load(path, map_location=settings.device, weights_only=True)
            stored = InverseDynamicsConfig.from_dict(state["config"])
            statistics = JointStatistics.from_dict(state["statistics"], stored.spec)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"{path} cannot be resumed ({error}); remove it to begin anew"
            ) from error
        for name, value in stored.to_dict().items():
            if value != config.to_dict()[name]:
                raise UserError(
                    f"{path} was trained with {name} = {value}, now it is "
                    f"{config.to_dict()[name]}; choose another --output"
                )
        trainer = IdmTrainer(config, statistics, settings)
        trainer.net.load_state_dict(state["net"])
        trainer.average.load_state_dict(state["average"])
        trainer._optimizer.load_state_dict(state["optimizer"])
        trainer.step, trainer.elapsed_s = state["step"], state["elapsed_s"]
        trainer.history = state["history"]
        return trainer

    def _on_device(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(self._settings.device)

    def _state(self) -> dict[str, Any]:
        return {
            "config": self.config.to_dict(),
            "statistics": self.statistics.to_dict(),
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "history": self.history,
        }

    def _learning_rate(self) -> float:
        fraction = self._settings.fraction_done(self.step, self.elapsed_s)
        warmup = min(1.0, (self.step + 1) / WARMUP_STEPS)
        decay = 0.5 * (1 + math.cos(math.pi * fraction))
        return self._settings.learning_rate * warmup * (0.01 + 0.99 * decay)

    def _update_average(self) -> None:
        # Young averages forget faster, so that the untrained weights do not linger.
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.parameters()), list(self.net.parameters()), 1 - decay
            )

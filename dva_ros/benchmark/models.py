"""The models that are timed: a checkpoint's, or random weights of a shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ..inverse_dynamics.checkpoint import load_checkpoint
from ..inverse_dynamics.config import InverseDynamicsConfig
from ..inverse_dynamics.model import InverseDynamicsNet
from ..video.checkpoint import load_model
from ..video.config import VideoModelConfig
from ..video.model import VideoModel
from ..video.precision import fast_dtype
from ..video.profiles import profile_config


@dataclass(frozen=True)
class TimedModels:
    """A pair.

    Attributes:
        name: for people.
        video: in the dtype that is fast here.
        net: inverse dynamics.
        folders: of their checkpoints, video and inverse dynamics; None for random weights.
    """

    name: str
    video: VideoModel
    net: InverseDynamicsNet
    folders: tuple[Path, Path] | None

    @staticmethod
    def of_checkpoint(video: Path) -> TimedModels:
        """A video checkpoint and `inverse_dynamics` beside it; random weights where it is not."""
        model, name = load_model(video, fast_dtype()), f"{video.parent.name}/{video.name}"
        beside = video.parent / "inverse_dynamics"
        if not beside.is_dir():
            config = InverseDynamicsConfig(model.config.spec, model.config.horizon)
            return TimedModels(name, model, _fast(InverseDynamicsNet(config)), None)
        _, _, net = load_checkpoint(beside)
        return TimedModels(name, model, _fast(net), (video, beside))

    @staticmethod
    def of_profile(name: str) -> TimedModels:
        """Random weights of one of `profiles.PROFILES`."""
        config = profile_config(name)
        net = _fast(InverseDynamicsNet(InverseDynamicsConfig(config.spec, config.horizon)))
        return TimedModels(f"profile {name}", random_video_model(config), net, None)

    @property
    def num_parameters(self) -> int:
        """Of the video model."""
        return sum(parameter.numel() for parameter in self.video.parameters())


def random_video_model(config: VideoModelConfig) -> VideoModel:
    """Untrained, in the dtype that is fast here."""
    return VideoModel(config).to(fast_dtype()).eval().requires_grad_(False)


def _fast(net: InverseDynamicsNet) -> InverseDynamicsNet:
    net.low_precision = fast_dtype() is torch.bfloat16
    return net.eval().requires_grad_(False)

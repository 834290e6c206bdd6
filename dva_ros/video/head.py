"""From clip tokens to a clean clip: colours, and a gate per pixel that copies the last frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .config import VideoModelConfig
from .layers import Norm

_INITIAL_GATE = 2.0


class Head(nn.Module):
    """Predicts the clean signal x. Initially it copies the last real frame, nearly everywhere."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        self.pixels = config.patch**2
        self.norm = Norm(config.width)
        self.modulation = nn.Linear(config.width, 2 * config.width)
        self.out = nn.Linear(config.width, config.patch_dim + self.pixels)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        nn.init.zeros_(self.out.weight)
        with torch.no_grad():
            self.out.bias.zero_()
            self.out.bias[config.patch_dim :] = _INITIAL_GATE

    def forward(self, x: Tensor, level: Tensor, last: Tensor) -> Tensor:
        """Clip tokens to signal.

        Args:
            x: [..., H, slots, width].
            level: embedded noise level [..., width].
            last: signal of the last real frame [..., patches, patch_dim].

        Returns:
            Clean signal [..., H, patches, patch_dim].
        """
        return self.draw(x, *self.modulations(level), last)

    def modulations(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """Embedded noise level [..., width] -> scale and shift [..., 1, 1, width]."""
        scale, shift = self.modulation(level)[..., None, None, :].chunk(2, dim=-1)
        return scale, shift

    def draw(self, x: Tensor, scale: Tensor, shift: Tensor, last: Tensor) -> Tensor:
        """What `forward` returns, from the level's `modulations`."""
        patches = self.norm(x[..., :-1, :])
        colour, gate = self.out(patches * (1 + scale) + shift).split(
            (3 * self.pixels, self.pixels), dim=-1
        )
        copied = last.unflatten(-1, (3, self.pixels))[..., None, :, :, :]
        drawn = colour.unflatten(-1, (3, self.pixels))
        keep = torch.sigmoid(gate)[..., None, :]
        return torch.lerp(drawn, copied, keep).flatten(-2)

"""Guided inpainting: a clip that is held to a known one while it is sampled.

Pseudo-inverse guidance of a flow (Song et al. 2023, PiGDM; Pokle et al. 2024) as real-time
chunking uses it (Black et al. 2025, arXiv 2506.07339, equations 2 to 4): to the flow's velocity at
noise level t is added

    min(beta, (1 - t) / (t r^2)) * J^T W (Y - X),    r^2 = (1 - t)^2 / (t^2 + (1 - t)^2)

with X the clean clip that the model predicts, J its derivative by the noisy one, Y the known clip
and W how strongly each frame is held to it. It costs a backward pass through the model every step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

MAX_WEIGHT = 5.0
"""beta of the paper: few denoising steps diverge without a bound."""


def guidance_weight(level: float, max_weight: float = MAX_WEIGHT) -> float:
    """Factor of the correction at a noise level, 0 (noise) .. below 1 (data)."""
    if level <= 0.0:
        return max_weight
    return min(max_weight, (level**2 + (1 - level) ** 2) / (level * (1 - level)))


@dataclass(frozen=True)
class Guidance:
    """What a clip is held to.

    Attributes:
        clip: Y, signal float32 [H, patches, patch_dim].
        weights: diagonal of W, float32 [H], 0 (free) .. 1.
    """

    clip: Tensor
    weights: Tensor

    def denoise(
        self, denoise: Callable[[Tensor, float], Tensor], noisy: Tensor, level: float
    ) -> tuple[Tensor, Tensor]:
        """The clean prediction, and what the guidance adds to the flow's velocity.

        Args:
            denoise: as of `sampler.sample_clip`; must be differentiable here, outside of
                inference mode.
            noisy: float32 [H, patches, patch_dim] at `level`.
        """
        with torch.enable_grad():
            leaf = noisy.detach().requires_grad_()
            clean = denoise(leaf, level).float()
            error = self.weights[:, None, None] * (self.clip - clean.detach())
            (pull,) = torch.autograd.grad(clean, leaf, error)
        return clean.detach(), guidance_weight(level) * pull

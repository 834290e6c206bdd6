"""Early convolutions over a whole real frame, beside its linear patches."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .config import VideoModelConfig
from .patches import to_image


class ConvStem(nn.Module):
    """Where an object of a few pixels lies is no linear function of the pixels (Xiao et al. 2021,
    arXiv 2106.14881). Convolutions of stride 2 halve the frame until a cell is a patch; each cell
    then sees almost three patches across. Begins as nothing."""

    def __init__(self, config: VideoModelConfig) -> None:
        super().__init__()
        self.patch = config.patch
        self.rows = config.spec.mosaic_height // config.patch
        halvings = config.patch.bit_length() - 1
        hidden = [config.stem_width * (depth + 1) for depth in range(halvings - 1)]
        channels = [3, *hidden, config.width]
        self.layers = nn.ModuleList(
            nn.Conv2d(channels[depth], channels[depth + 1], 4, stride=2, padding=1)
            for depth in range(halvings)
        )
        last = self.layers[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, frames: Tensor) -> Tensor:
        """Signal [..., patches, patch_dim] -> [..., patches, width]."""
        lead = frames.shape[:-2]
        x = to_image(frames, self.rows, self.patch)
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x).flatten(2).mT.reshape(*lead, frames.shape[-2], -1)

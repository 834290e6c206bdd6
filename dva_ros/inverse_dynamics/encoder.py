"""One camera's image, and its motion since the last real frame, as a feature vector."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INPUT_CHANNELS = 8
"""Red, green, blue; their difference from the last real frame; row and column."""


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each pixel; cheap where images are channels-last."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.permute(0, 2, 3, 1)
        normed = F.layer_norm(pixels, pixels.shape[-1:], self.weight, self.bias)
        return normed.permute(0, 3, 1, 2)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.inner = nn.Conv2d(channels, channels, 3, padding=1)
        self.outer = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.outer(F.relu(self.inner(self.norm(x))))
        return x + change


class CameraEncoder(nn.Module):
    """Image [N, 8, h, w] to feature [N, width], keeping where things are.

    Two ways out, neither of which averages over the image: spatial-softmax points (sub-pixel
    positions of learned features, at a quarter of the resolution) and the flattened small map
    at an eighth.
    """

    def __init__(
        self,
        height: int,
        width: int,
        channels: tuple[int, int, int],
        map_channels: int,
        keypoints: int,
        out_features: int,
    ) -> None:
        super().__init__()
        half, quarter, eighth = channels
        self.stem = nn.Conv2d(INPUT_CHANNELS, half, 5, stride=2, padding=2)
        self.to_quarter = nn.Conv2d(half, quarter, 3, stride=2, padding=1)
        self.quarter_block = ResidualBlock(quarter)
        self.to_heat = nn.Conv2d(quarter, keypoints, 1)
        self.to_eighth = nn.Conv2d(quarter, eighth, 3, stride=2, padding=1)
        self.eighth_block = ResidualBlock(eighth)
        self.eighth_norm = ChannelNorm(eighth)
        self.to_map = nn.Conv2d(eighth, map_channels, 1)
        flat = map_channels * (height // 8) * (width // 8)
        self.from_map = nn.Linear(flat, out_features)
        self.from_points = nn.Linear(2 * keypoints, out_features)
        self.register_buffer("grid", coordinates(height // 4, width // 4), persistent=False)

    def forward(self, image: Tensor, low_precision: bool) -> Tensor:
        """Float32 feature [N, out_features]; `low_precision` convolves in bfloat16."""
        with torch.autocast(image.device.type, torch.bfloat16, enabled=low_precision):
            x = F.relu(self.stem(image))
            x = self.quarter_block(F.relu(self.to_quarter(x)))
            heat = self.to_heat(x)
            x = self.eighth_block(F.relu(self.to_eighth(x)))
            small = F.relu(self.to_map(self.eighth_norm(x)))
        flat = small.permute(0, 2, 3, 1).flatten(1).float()
        # Positions stay in float32: bfloat16 would round them to an eighth of a pixel.
        feature: Tensor = self.from_map(flat) + self.from_points(self._points(heat.float()))
        return feature

    def _points(self, heat: Tensor) -> Tensor:
        """Expected row and column of each heat map, in -1..1: [N, 2 * keypoints]."""
        chance = heat.permute(0, 2, 3, 1).flatten(1, 2).softmax(dim=1)
        return (self.get_buffer("grid").flatten(1) @ chance).flatten(1)


def coordinates(height: int, width: int) -> Tensor:
    """Row and column of every pixel in -1..1: float32 [2, height, width]."""
    rows = torch.linspace(-1, 1, height)[:, None].expand(height, width)
    columns = torch.linspace(-1, 1, width)[None, :].expand(height, width)
    return torch.stack((rows, columns))

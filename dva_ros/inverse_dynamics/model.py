"""The network: real frames, a clip and the measured state in, joint command offsets out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import InverseDynamicsConfig
from .encoder import CameraEncoder, coordinates


class TemporalLayer(nn.Module):
    """Transformer layer over the frames; every frame sees every other, later ones too."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, length, 3, self.heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        # Written as products: CPU attention kernels are slow at sequences this short.
        weights = (query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5).softmax(-1)
        mixed = (weights @ value).transpose(1, 2).reshape(batch, length, width)
        x = x + self.project(mixed)
        change: Tensor = self.contract(F.gelu(self.expand(self.mlp_norm(x))))
        return x + change


class InverseDynamicsNet(nn.Module):
    """Non-causal inverse dynamics network.

    Each camera has an encoder of its own, shared by all frames. The state conditions every
    frame. A head reads the clip's frames.

    Attributes:
        low_precision: convolve in bfloat16; everything else stays in float32, parameters too.
    """

    def __init__(self, config: InverseDynamicsConfig) -> None:
        super().__init__()
        self.config = config
        self.low_precision = False
        joints, width = config.spec.num_joints, config.width
        self.encoders = nn.ModuleDict()
        for camera in config.spec.cameras:
            self.encoders[camera.name] = CameraEncoder(
                camera.height,
                camera.width,
                config.channels,
                config.map_channels,
                config.keypoints,
                width,
            )
            self.register_buffer(
                f"coordinates_{camera.name}",
                coordinates(camera.height, camera.width).permute(1, 2, 0),
                persistent=False,
            )
        self.position = nn.Parameter(0.02 * torch.randn(config.num_frames, width))
        self.state = nn.Sequential(nn.Linear(joints, width), nn.GELU(), nn.Linear(width, width))
        self.layers = nn.ModuleList(
            TemporalLayer(width, config.heads) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, joints)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        for parameter in self.encoders.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, frames: Tensor, state: Tensor) -> Tensor:
        """Normalised offsets of the targets for the clip's frames.

        Args:
            frames: [B, k + H, mosaic_height, mosaic_width, 3], 0..255, any dtype; real frames,
                then the clip.
            state: normalised measured state [B, J] at the last real frame.

        Returns:
            float32 [B, H, J].
        """
        x = self._encode(frames) + self.position + self.state(state)[:, None]
        for layer in self.layers:
            x = layer(x)
        offsets: Tensor = self.head(self.norm(x[:, self.config.num_real_frames :]))
        return offsets

    def _encode(self, frames: Tensor) -> Tensor:
        """Features of the frames, summed over the cameras: [B, k + H, width]."""
        # 0..255 and its differences are exact in bfloat16.
        dtype = torch.bfloat16 if self.low_precision else torch.float32
        batch, length = frames.shape[:2]
        values = frames.to(dtype)
        last = self.config.last_real
        motion = (values - values[:, last : last + 1]) / 64
        pixels = values / 127.5 - 1
        features = torch.zeros(batch, length, self.config.width, device=frames.device)
        top = 0
        for camera in self.config.spec.cameras:
            rows = slice(top, top + camera.height)
            top += camera.height
            where = self.get_buffer(f"coordinates_{camera.name}").to(dtype)
            where = where.expand(batch, length, -1, -1, -1)
            image = torch.cat((pixels[:, :, rows], motion[:, :, rows], where), dim=-1)
            image = image.flatten(0, 1).permute(0, 3, 1, 2)  # a view: channels-last in memory
            features = features + self.encoders[camera.name](image, self.low_precision).view(
                batch, length, -1
            )
        return features

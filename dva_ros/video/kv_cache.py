"""Keys and values of sessions' contexts, preallocated: in each layer a pinned segment and a ring.

Keys of the ring are stored rotated to their absolute frame index. Scores depend on differences
of indices only, so the ring needs no order, no shift and no second rotation when it wraps.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from .config import VideoModelConfig
from .layout import NUM_PINNED

KeysAndValues = tuple[Tensor, Tensor, Tensor | None]
"""k, v [batch, slots, heads, frames, d] and the mask of `exp_attention`; None: all attended."""


class ContextReader(Protocol):
    """What denoising reads of the contexts of sessions side by side."""

    def next_index(self) -> Tensor:
        """Grid index of the frame to come, int64 [1] on the device."""

    def pinned(self, layer: int) -> tuple[Tensor, Tensor]:
        """k, v [batch, slots, heads, pinned, d]; k unrotated."""

    def ring(self, layer: int, writing: bool = False) -> KeysAndValues:
        """What the ring holds, in no order, `writing` with the frame that is being appended."""


class ContextCache(ContextReader, Protocol):
    """A context that frames can be appended to."""

    def pin(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Replace a layer's pinned segment: unrotated k, v [batch, slots, heads, pinned, d]."""

    def write(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Store the frame that is being appended, layer by layer from the first:
        rotated k, v [batch, slots, heads, 1, d]."""

    def advance(self) -> None:
        """Count the frame that was written to all layers."""


class KVCache:
    """The contexts of sessions side by side, for all layers; they advance together.

    Attributes:
        batch: number of sessions.
        capacity: real frames of each that the rings of global layers hold; those of local layers
            hold their window.
        count: real frames appended to each since the last `reset`, without bound.
    """

    def __init__(
        self,
        config: VideoModelConfig,
        capacity: int,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
        batch: int = 1,
    ) -> None:
        if capacity < 1 or batch < 1:
            raise ValueError(
                f"a cache holds at least one frame of one session, got {capacity} of {batch}"
            )
        lead = (batch, config.num_slots, config.heads)
        self.batch, self.capacity, self.count = batch, capacity, 0
        pinned = (config.depth, *lead, NUM_PINNED, config.head_dim)
        self._device = device
        self._pinned_k = torch.zeros(pinned, dtype=dtype, device=device)
        self._pinned_v = torch.zeros_like(self._pinned_k)
        self._ring_k = [
            torch.zeros((*lead, window, config.head_dim), dtype=dtype, device=device)
            for window in config.windows(capacity)
        ]
        self._ring_v = [torch.zeros_like(ring) for ring in self._ring_k]

    def reset(self) -> None:
        """Forget all frames; memory stays."""
        self.count = 0

    def next_index(self) -> Tensor:
        """Grid index of the frame to come, int64 [1]."""
        return torch.tensor([self.count], device=self._device)

    def pin(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Replace a layer's pinned segment: unrotated k, v [batch, slots, heads, pinned, d]."""
        self._pinned_k[layer].copy_(k)
        self._pinned_v[layer].copy_(v)

    def write(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Store the frame that is being appended: rotated k, v [batch, slots, heads, 1, d].

        It is visible at once in this layer; `advance` closes the frame for all layers.
        """
        place = self.count % self._ring_k[layer].shape[-2]
        self._ring_k[layer][..., place, :].copy_(k[..., 0, :])
        self._ring_v[layer][..., place, :].copy_(v[..., 0, :])

    def advance(self) -> None:
        """Count the frame that was written to all layers."""
        self.count += 1

    def pinned(self, layer: int) -> tuple[Tensor, Tensor]:
        """k, v [batch, slots, heads, pinned, d]; k unrotated."""
        return self._pinned_k[layer], self._pinned_v[layer]

    def ring(self, layer: int, writing: bool = False) -> KeysAndValues:
        """Views of what a layer's ring holds, in no order, and no mask.

        Args:
            writing: include the frame written and not yet counted.
        """
        held = slice(min(self.count + writing, self._ring_k[layer].shape[-2]))
        return self._ring_k[layer][..., held, :], self._ring_v[layer][..., held, :], None

    def storage(self) -> tuple[Tensor, ...]:
        """The buffers themselves; they never move."""
        return self._pinned_k, self._pinned_v, *self._ring_k, *self._ring_v

"""A KV cache whose shapes and addresses never change, and whose place in time is a tensor.

What reads or writes it is therefore the same sequence of kernels for every frame, and can be
recorded once and replayed (see `execution.py`). The whole ring is read every time; a mask hides
what is not part of the context.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .config import VideoModelConfig
from .kv_cache import KeysAndValues
from .layout import NUM_PINNED
from .ring_storage import ring_storage

SPARE_SLOTS = 2
"""Frames, at the least, that can be appended while a prediction reads the frames before them."""

_ALIGNMENT = 8
_NEVER = -(2**40)


class StaticCache:
    """The contexts of sessions side by side; they advance together.

    Attributes:
        batch: number of sessions.
        capacity: real frames that a context holds.
        spare: slots of the ring beyond them.
    """

    def __init__(
        self,
        config: VideoModelConfig,
        capacity: int,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
        batch: int = 1,
        kept: torch.dtype | None = None,
    ) -> None:
        """`kept`: dtype of the ring, `dtype` if None, or float8 (see `ring_storage.py`)."""
        if capacity < 1 or batch < 1:
            raise ValueError(
                f"a cache holds at least one frame of one session, got {capacity} of {batch}"
            )
        # Matrix units read keys in rows of eight.
        ring = -(-(capacity + SPARE_SLOTS) // _ALIGNMENT) * _ALIGNMENT
        self.batch, self.capacity, self.spare = batch, capacity, ring - capacity
        pinned = (
            *(config.depth, batch, config.num_slots, config.heads),
            *(NUM_PINNED, config.head_dim),
        )
        self._pinned_k = torch.zeros(pinned, dtype=dtype, device=device)
        self._pinned_v = torch.zeros_like(self._pinned_k)
        self._k, self._v = (
            ring_storage(config, batch, ring, dtype, kept or dtype, device) for _ in range(2)
        )
        self._count = torch.zeros(1, dtype=torch.int64, device=device)
        self._frame_of_slot = torch.full((ring,), _NEVER, device=device)
        self._mask = torch.zeros(1, ring, dtype=dtype, device=device)

    def reset(self) -> None:
        """Forget all frames; memory stays."""
        self._count.zero_()
        self._frame_of_slot.fill_(_NEVER)

    def next_index(self) -> Tensor:
        """Grid index of the frame to come, int64 [1]."""
        return self._count

    def pin(self, layer: int, k: Tensor, v: Tensor) -> None:
        """See `ContextCache`."""
        self._pinned_k[layer].copy_(k)
        self._pinned_v[layer].copy_(v)

    def write(self, layer: int, k: Tensor, v: Tensor) -> None:
        """See `ContextCache`; overwrites what no context holds any more."""
        place = self._count % len(self._frame_of_slot)
        if layer == 0:
            self._frame_of_slot.index_copy_(0, place, self._count)
            self._mask.copy_(self._held(self._count + 1))
        self._k.write(layer, place, k)
        self._v.write(layer, place, v)

    def advance(self) -> None:
        """Count the frame that was written to all layers."""
        self._count.add_(1)

    def pinned(self, layer: int) -> tuple[Tensor, Tensor]:
        """k, v [batch, slots, heads, pinned, d]; k unrotated."""
        return self._pinned_k[layer], self._pinned_v[layer]

    def ring(self, layer: int, writing: bool = False) -> KeysAndValues:
        """The whole ring, and which of its frames were held when one was written last."""
        return self._k.read(layer), self._v.read(layer), self._mask

    def buffers(self) -> tuple[Tensor, ...]:
        """All memory; it never moves."""
        small = self._count, self._frame_of_slot, self._mask
        return self._pinned_k, self._pinned_v, *self._k.buffers(), *self._v.buffers(), *small

    def _held(self, count: Tensor) -> Tensor:
        """Slots whose frames are among the last `capacity` before index `count`, bool [ring]."""
        frame = self._frame_of_slot
        return (frame < count) & (frame >= count - self.capacity)


class ContextView:
    """The context as it was at the last `refresh`: up to `spare` frames may be appended since."""

    def __init__(self, cache: StaticCache) -> None:
        self._cache = cache
        self._count = cache.next_index().clone()
        self._mask = torch.zeros_like(cache._mask)

    def refresh(self) -> None:
        """Look at the context as it is now."""
        self._count.copy_(self._cache.next_index())
        self._mask.copy_(self._cache._held(self._count))

    def next_index(self) -> Tensor:
        """Grid index of the frame to come, int64 [1]."""
        return self._count

    def pinned(self, layer: int) -> tuple[Tensor, Tensor]:
        """k, v [batch, slots, heads, pinned, d]; k unrotated."""
        return self._cache.pinned(layer)

    def ring(self, layer: int, writing: bool = False) -> KeysAndValues:
        """The whole ring, and which of its frames were held at the last `refresh`."""
        k, v, _ = self._cache.ring(layer)
        return k, v, self._mask

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


class _Slots:
    """Which frames the rings of all layers of one window hold.

    Attributes:
        window: real frames of a context that these layers see.
        size: slots of a ring.
        mask: of the frames that were held when one was written last, [1, size].
    """

    def __init__(self, window: int, dtype: torch.dtype, device: torch.device | str) -> None:
        # Matrix units read keys in rows of eight.
        self.size = -(-(window + SPARE_SLOTS) // _ALIGNMENT) * _ALIGNMENT
        self.window = window
        self.frame = torch.full((self.size,), _NEVER, device=device)
        self.mask = torch.zeros(1, self.size, dtype=dtype, device=device)

    def place(self, count: Tensor) -> Tensor:
        """Where the frame of index `count` goes."""
        return count % self.size

    def note(self, count: Tensor) -> None:
        """The frame of index `count` is being written."""
        self.frame.index_copy_(0, self.place(count), count)
        self.mask.copy_(self.held(count + 1))

    def held(self, count: Tensor) -> Tensor:
        """Slots whose frames are among the last of the window before index `count`, [size]."""
        return (self.frame < count) & (self.frame >= count - self.window)


class StaticCache:
    """The contexts of sessions side by side; they advance together.

    Attributes:
        batch: number of sessions.
        capacity: real frames that a context holds.
        spare: slots of every ring beyond what its layer sees, at the least.
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
        windows = config.windows(capacity)
        self._slots = {window: _Slots(window, dtype, device) for window in set(windows)}
        self._slots_of_layer = [self._slots[window] for window in windows]
        self.batch, self.capacity = batch, capacity
        self.spare = min(slots.size - slots.window for slots in self._slots.values())
        pinned = (
            *(config.depth, batch, config.num_slots, config.heads),
            *(NUM_PINNED, config.head_dim),
        )
        self._pinned_k = torch.zeros(pinned, dtype=dtype, device=device)
        self._pinned_v = torch.zeros_like(self._pinned_k)
        self._k, self._v = (
            [
                ring_storage(config, batch, slots.size, dtype, kept or dtype, device)
                for slots in self._slots_of_layer
            ]
            for _ in range(2)
        )
        self._count = torch.zeros(1, dtype=torch.int64, device=device)

    def reset(self) -> None:
        """Forget all frames; memory stays."""
        self._count.zero_()
        for slots in self._slots.values():
            slots.frame.fill_(_NEVER)

    def next_index(self) -> Tensor:
        """Grid index of the frame to come, int64 [1]."""
        return self._count

    def pin(self, layer: int, k: Tensor, v: Tensor) -> None:
        """See `ContextCache`."""
        self._pinned_k[layer].copy_(k)
        self._pinned_v[layer].copy_(v)

    def write(self, layer: int, k: Tensor, v: Tensor) -> None:
        """See `ContextCache`; overwrites what no context holds any more."""
        if layer == 0:
            for slots in self._slots.values():
                slots.note(self._count)
        place = self._slots_of_layer[layer].place(self._count)
        self._k[layer].write(place, k)
        self._v[layer].write(place, v)

    def advance(self) -> None:
        """Count the frame that was written to all layers."""
        self._count.add_(1)

    def pinned(self, layer: int) -> tuple[Tensor, Tensor]:
        """k, v [batch, slots, heads, pinned, d]; k unrotated."""
        return self._pinned_k[layer], self._pinned_v[layer]

    def ring(self, layer: int, writing: bool = False) -> KeysAndValues:
        """A layer's whole ring, and which of its frames were held when one was written last."""
        mask = self._slots_of_layer[layer].mask
        return self._k[layer].read(), self._v[layer].read(), mask

    def held(self, count: Tensor) -> dict[int, Tensor]:
        """Of each window's rings the slots that are part of the context before index `count`."""
        return {window: slots.held(count) for window, slots in self._slots.items()}

    def window(self, layer: int) -> int:
        """Real frames that a layer sees."""
        return self._slots_of_layer[layer].window

    def buffers(self) -> tuple[Tensor, ...]:
        """All memory; it never moves."""
        rings = (buffer for ring in (*self._k, *self._v) for buffer in ring.buffers())
        small = (t for slots in self._slots.values() for t in (slots.frame, slots.mask))
        return self._pinned_k, self._pinned_v, *rings, self._count, *small


class ContextView:
    """The context as it was at the last `refresh`: up to `spare` frames may be appended since."""

    def __init__(self, cache: StaticCache) -> None:
        self._cache = cache
        self._count = cache.next_index().clone()
        dtype = cache.pinned(0)[0].dtype
        self._masks = {
            window: torch.zeros_like(held, dtype=dtype)[None]
            for window, held in cache.held(self._count).items()
        }

    def refresh(self) -> None:
        """Look at the context as it is now."""
        self._count.copy_(self._cache.next_index())
        for window, held in self._cache.held(self._count).items():
            self._masks[window].copy_(held)

    def next_index(self) -> Tensor:
        """Grid index of the frame to come, int64 [1]."""
        return self._count

    def pinned(self, layer: int) -> tuple[Tensor, Tensor]:
        """k, v [batch, slots, heads, pinned, d]; k unrotated."""
        return self._cache.pinned(layer)

    def ring(self, layer: int, writing: bool = False) -> KeysAndValues:
        """A layer's whole ring, and which of its frames were held at the last `refresh`."""
        k, v, _ = self._cache.ring(layer)
        return k, v, self._masks[self._cache.window(layer)]

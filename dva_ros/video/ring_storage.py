"""Where a static cache keeps the keys or values of a layer's ring: plain, or in eight bits."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from .config import VideoModelConfig

FLOAT8 = torch.float8_e4m3fn
_FLOAT8_MAX = 448.0
_SMALLEST_SCALE = 2.0**-60


class RingStorage(Protocol):
    """Keys, or values, of a layer; which slot of the ring is written is a tensor."""

    def write(self, place: Tensor, values: Tensor) -> None:
        """Store [batch, slots, heads, 1, d] at `place`, int64 [1]."""

    def read(self) -> Tensor:
        """[batch, slots, heads, ring, d] in the model's dtype."""

    def buffers(self) -> tuple[Tensor, ...]:
        """What it holds memory in."""


def ring_storage(
    config: VideoModelConfig,
    batch: int,
    ring: int,
    dtype: torch.dtype,
    kept: torch.dtype,
    device: torch.device | str,
) -> RingStorage:
    """Storage of `ring` frames in the dtype `kept`, which is `dtype` or `FLOAT8`."""
    shape = (batch, config.num_slots, config.heads, ring, config.head_dim)
    if kept == FLOAT8:
        return Float8Ring(shape, dtype, device)
    if kept != dtype:
        raise ValueError(f"a cache of a {dtype} model is kept in {dtype} or {FLOAT8}, not {kept}")
    return PlainRing(shape, dtype, device)


class PlainRing:
    """As they are."""

    def __init__(
        self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str
    ) -> None:
        self._values = torch.zeros(shape, dtype=dtype, device=device)

    def write(self, place: Tensor, values: Tensor) -> None:
        self._values.index_copy_(-2, place, values)

    def read(self) -> Tensor:
        return self._values

    def buffers(self) -> tuple[Tensor, ...]:
        return (self._values,)


class Float8Ring:
    """In float8 (4 bits of exponent, 3 of mantissa) with a scale for every frame and head.

    Scales are powers of two, so that scaling back rounds nothing. A frame is scaled once, when it
    is written; nothing is scaled again when the ring wraps.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str
    ) -> None:
        batch, _, heads, ring, _ = shape
        # Bytes: not every kernel that moves data knows float8.
        self._bytes = torch.zeros(shape, dtype=torch.uint8, device=device)
        self._scale = torch.ones((batch, 1, heads, ring, 1), dtype=dtype, device=device)

    def write(self, place: Tensor, values: Tensor) -> None:
        scale = _power_of_two(values.float().abs().amax((1, 4), keepdim=True) / _FLOAT8_MAX)
        small = (values.float() / scale).to(FLOAT8).view(torch.uint8)
        self._bytes.index_copy_(-2, place, small)
        self._scale.index_copy_(-2, place, scale.to(self._scale.dtype))

    def read(self) -> Tensor:
        return self._bytes.view(FLOAT8).to(self._scale.dtype).mul_(self._scale)

    def buffers(self) -> tuple[Tensor, ...]:
        return self._bytes, self._scale


def _power_of_two(x: Tensor) -> Tensor:
    """The next power of two, float32; by its bits, as every device rounds logarithms its way."""
    bits = x.clamp_min(_SMALLEST_SCALE).view(torch.int32)
    return (bits + 0x7FFFFF).bitwise_and(0x7F800000).view(torch.float32)

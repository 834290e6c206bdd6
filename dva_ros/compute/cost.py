"""Operations and bytes of one call, from its products and from the context that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..inverse_dynamics.config import InverseDynamicsConfig
from ..video.config import VideoModelConfig
from ..video.layout import NUM_PINNED
from .products import Product, append_products, decode_products, denoise_products


@dataclass(frozen=True)
class Cost:
    """What a call has to do at the least.

    Attributes:
        operations: multiplications and additions of its matrix products.
        bytes_moved: weights and cached keys and values read once, every result of a product
            written once; attention scores and rotations left out.
    """

    operations: float
    bytes_moved: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.operations + other.operations, self.bytes_moved + other.bytes_moved)

    def __mul__(self, times: int) -> Cost:
        return Cost(self.operations * times, self.bytes_moved * times)


def append_cost(config: VideoModelConfig, context: int, batch: int, itemsize: int) -> Cost:
    """Of encoding one frame of `batch` sessions; `context` frames with it.

    Args:
        itemsize: bytes of a number of the model's dtype.
    """
    seen = config.windows(context)[:-1]
    frames = sum(window - 1 + NUM_PINNED for window in seen) + config.depth
    cached = frames * batch * key_value_numbers(config)
    return _cost(append_products(config, context, batch), cached, itemsize, itemsize)


def denoise_cost(config: VideoModelConfig, context: int, batch: int, itemsize: int) -> Cost:
    """Of one denoising step of `batch` clips; arguments as of `append_cost`."""
    frames = sum(window + NUM_PINNED for window in config.windows(context))
    cached = frames * batch * key_value_numbers(config)
    return _cost(denoise_products(config, context, batch), cached, itemsize, itemsize)


def decode_cost(config: InverseDynamicsConfig, batch: int, itemsize: int) -> Cost:
    """Of the inverse dynamics of `batch` clips.

    Args:
        itemsize: bytes of a number of an activation; weights are float32.
    """
    return _cost(decode_products(config, batch), 0, itemsize, 4)


def key_value_numbers(config: VideoModelConfig) -> int:
    """Numbers in the keys and values of one frame in one layer."""
    return 2 * config.num_slots * config.width


def _cost(products: Sequence[Product], cached: int, itemsize: int, weight_bytes: int) -> Cost:
    stored = cached + sum(product.stored_numbers for product in products)
    weights = sum(product.weight_numbers for product in products)
    return Cost(
        operations=sum(product.operations for product in products),
        bytes_moved=stored * itemsize + weights * weight_bytes,
    )

"""What this machine can do: memory bandwidth, and matrix products in a dtype."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .cost import Cost
from .products import Product
from .timing import best_seconds

_ARRAY_BYTES = 256 * 2**20
"""Several times the last cache of a large processor."""

_SIDES = {"cpu": (1024, 2048), "cuda": (4096, 8192)}
_REPEATS = 7


@dataclass(frozen=True)
class Ceilings:
    """Limits of the machine, the best of several tries, with this process's threads.

    Attributes:
        bandwidth_gb_s: reading (a sum) or copying large arrays, whichever moves more bytes.
        matrix_gflop_s: large square products in the model's dtype.
    """

    bandwidth_gb_s: float
    matrix_gflop_s: float

    @staticmethod
    def measure(dtype: torch.dtype) -> Ceilings:
        """Measure both; a few seconds."""
        return Ceilings(_bandwidth(), matrix_gflop_s(dtype))

    def least_seconds(self, cost: Cost) -> float:
        """The roofline: no less time for such a cost."""
        return max(
            cost.operations / (1e9 * self.matrix_gflop_s),
            cost.bytes_moved / (1e9 * self.bandwidth_gb_s),
        )

    def roofline_fraction(self, cost: Cost, p50_ms: float) -> float:
        """Share of the roofline that a measured time reaches."""
        return 1e3 * self.least_seconds(cost) / p50_ms


def products_seconds(products: Sequence[Product], dtype: torch.dtype) -> float:
    """Time of these very shapes and nothing else, each alone and hot in the caches."""
    counts: Counter[Product] = Counter()
    for product in products:
        # Weights or not, stored or not: the product is the same.
        counts[replace(product, count=1, weights=0, stored=True)] += product.count
    return sum(count * _product_seconds(product, dtype) for product, count in counts.items())


def _product_seconds(product: Product, dtype: torch.dtype) -> float:
    left = torch.randn(product.batch, product.m, product.k).to(dtype)
    right = torch.randn(product.batch, product.n, product.k).to(dtype).mT
    return _multiplication_seconds(left, right)


def matrix_gflop_s(dtype: torch.dtype, device: torch.device | str = "cpu") -> float:
    """Rate of large square products, the best of several tries; about a second on a CPU."""
    return max(_square_rate(side, dtype, device) for side in _SIDES[torch.device(device).type])


def _square_rate(side: int, dtype: torch.dtype, device: torch.device | str) -> float:
    left, right = (torch.randn(1, side, side, device=device).to(dtype) for _ in range(2))
    return 2e-9 * side**3 / _multiplication_seconds(left, right)


def _multiplication_seconds(left: Tensor, right: Tensor) -> float:
    """Of [b, m, k] x [b, k, n] into memory that is there already."""
    out = torch.empty(*left.shape[:2], right.shape[2], dtype=left.dtype, device=left.device)

    def multiply() -> None:
        if len(left) == 1:
            torch.mm(left[0], right[0], out=out[0])
        else:
            torch.bmm(left, right, out=out)
        if out.is_cuda:
            torch.cuda.synchronize(out.device)

    return best_seconds(multiply, _REPEATS)


def _bandwidth() -> float:
    source = torch.ones(_ARRAY_BYTES // 4)
    target = torch.empty_like(source)
    read = _ARRAY_BYTES / best_seconds(source.sum, _REPEATS)
    copied = 2 * _ARRAY_BYTES / best_seconds(lambda: target.copy_(source), _REPEATS)
    return 1e-9 * max(read, copied)

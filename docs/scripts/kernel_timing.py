"""What was tried for the two costs of a denoising step on a CPU, in one run: products with
weights, and attention over the ring. The table of docs/performance.md.

    python docs/scripts/kernel_timing.py [--threads 1] [--context 512]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from dva_ros.video.attention import exp_attention
from dva_ros.video.precision import fast_dtype

WIDTH, SLOTS, HEADS, CLIP = 192, 21, 6, 8
ROUNDS = 150


def in_turns(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median microseconds of each call; they take turns, so that a busy moment hits all."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            if turn >= ROUNDS // 10:
                spent[name].append(1e6 * (time.perf_counter() - begun))
    return {name: statistics.median(times) for name, times in spent.items()}


def weights(dtype: torch.dtype) -> dict[str, Callable[[], object]]:
    """The product of a clip's tokens with the MLP's first matrix."""
    tokens = torch.randn(SLOTS * CLIP, WIDTH).to(dtype)
    matrix = torch.randn(4 * WIDTH, WIDTH).to(dtype)
    transposed = matrix.t().contiguous()
    calls: dict[str, Callable[[], object]] = {
        "linear": lambda: F.linear(tokens, matrix),
        "weights transposed beforehand": lambda: torch.mm(tokens, transposed),
    }
    if torch.backends.mkldnn.is_available():
        packed = torch.ops.mkldnn._reorder_linear_weight(matrix, len(tokens))
        calls["weights packed beforehand (oneDNN)"] = lambda: torch.ops.mkldnn._linear_pointwise(
            tokens, packed, None, "none", [], ""
        )
    return calls


def attention(dtype: torch.dtype, context: int) -> dict[str, Callable[[], object]]:
    """A clip's queries over the ring, in one layer."""
    lead = (SLOTS, HEADS)
    q = torch.randn(*lead, CLIP, WIDTH // HEADS).to(dtype)
    k, v = (torch.randn(*lead, context, WIDTH // HEADS).to(dtype) for _ in range(2))
    keys_first = k.mT.contiguous()
    with_ones = torch.cat((v, torch.ones(*lead, context, 1).to(dtype)), dim=-1)
    single = q.float(), k.float(), v.float()

    def transposed() -> tuple[Tensor, Tensor]:
        scores = torch.matmul(q, keys_first).exp_()
        return torch.matmul(scores, v), scores.sum(-1, keepdim=True)

    return {
        "exponential and two products (ours)": lambda: exp_attention(q, k, v),
        "keys stored transposed": transposed,
        "sum of the weights by a column of ones": lambda: torch.matmul(
            torch.matmul(q, k.mT).exp_(), with_ones
        ),
        "softmax": lambda: torch.matmul(torch.matmul(q, k.mT).softmax(-1), v),
        "scaled_dot_product_attention": lambda: F.scaled_dot_product_attention(q, k, v),
        "ours in float32": lambda: exp_attention(*single),
    }


@torch.inference_mode()
def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--context", type=int, default=512)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dtype = fast_dtype()
    torch.manual_seed(0)
    for title, calls in (
        (f"{SLOTS * CLIP} tokens x {WIDTH} x {4 * WIDTH}", weights(dtype)),
        (f"{CLIP} frames over {options.context}, one layer", attention(dtype, options.context)),
    ):
        times = in_turns(calls)
        first = next(iter(times.values()))
        print(f"{title}, {dtype}, {options.threads} thread(s)")
        for name, value in times.items():
            print(f"  {name:42} {value:7.0f} us   {value / first:5.2f}")


if __name__ == "__main__":
    main()

"""What was tried for the costs of a denoising step on a CPU, in one run: products with weights,
attention over the ring, keys of a ring that is not full, and the norm of queries and keys. The
table of docs/reference/benchmarks.md.

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
from dva_ros.video.folded import to_unit_length
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
    result = torch.empty(len(tokens), len(matrix), dtype=dtype)
    calls["result into a buffer"] = lambda: torch.mm(tokens, matrix.t(), out=result)
    return calls | eight_bits(tokens, matrix)


def eight_bits(tokens: Tensor, matrix: Tensor) -> dict[str, Callable[[], object]]:
    """The same product with weights of eight bits, one scale for each output."""
    scale = matrix.float().abs().amax(1) / 127
    zeros = torch.zeros(len(matrix), dtype=torch.int64)
    quantised = torch.quantize_per_channel(matrix.float(), scale.double(), zeros, 0, torch.qint8)
    packed = torch.ops.quantized.linear_prepack(quantised, None)
    single, integers = tokens.float(), quantised.int_repr()
    given = torch.randint(-127, 128, tokens.shape, dtype=torch.int8)

    def by_hand() -> Tensor:
        row_scale = tokens.abs().amax(-1, keepdim=True).float() / 127
        rounded = (tokens / row_scale).round_().to(torch.int8)
        return (torch._int_mm(rounded, integers.t()) * row_scale * scale).to(tokens.dtype)

    dynamic = torch.ops.quantized.linear_dynamic
    return {
        "int8: integer product alone": lambda: torch._int_mm(given, integers.t()),
        "int8: _int_mm, scaled and rounded by hand": by_hand,
        "int8: linear_dynamic, float32 in and out": lambda: dynamic(single, packed),
        "int8: linear_dynamic, with both casts": lambda: dynamic(tokens.float(), packed).to(
            tokens.dtype
        ),
        "int8: _weight_int8pack_mm": lambda: torch._weight_int8pack_mm(
            tokens, integers, scale.to(tokens.dtype)
        ),
    }


def attention(dtype: torch.dtype, context: int) -> dict[str, Callable[[], object]]:
    """A clip's queries over the ring, in one layer."""
    lead = (SLOTS, HEADS)
    q = torch.randn(*lead, CLIP, WIDTH // HEADS).to(dtype)
    k, v = (torch.randn(*lead, context, WIDTH // HEADS).to(dtype) for _ in range(2))
    keys_first = k.mT.contiguous()
    with_ones = torch.cat((v, torch.ones(*lead, context, 1).to(dtype)), dim=-1)
    single = q.float(), k.float(), v.float()
    flat_q, flat_k, flat_v = (t.flatten(0, 1) for t in (q, k, v))
    scores = torch.empty(len(flat_q), CLIP, context, dtype=dtype)
    weighted = torch.empty_like(flat_q)

    def buffered() -> tuple[Tensor, Tensor]:
        torch.bmm(flat_q, flat_k.mT, out=scores).exp2_()
        return torch.bmm(scores, flat_v, out=weighted), scores.sum(-1, keepdim=True)

    def base_two() -> tuple[Tensor, Tensor]:
        scores = torch.matmul(q, k.mT).exp2_()
        return torch.matmul(scores, v), scores.sum(-1, keepdim=True)

    def transposed() -> tuple[Tensor, Tensor]:
        scores = torch.matmul(q, keys_first).exp_()
        return torch.matmul(scores, v), scores.sum(-1, keepdim=True)

    return {
        "exponential and two products (ours)": lambda: exp_attention(q, k, v),
        "exponential of base 2": base_two,
        "exponential of base 2, results into buffers": buffered,
        "keys stored transposed": transposed,
        "sum of the weights by a column of ones": lambda: torch.matmul(
            torch.matmul(q, k.mT).exp_(), with_ones
        ),
        "softmax": lambda: torch.matmul(torch.matmul(q, k.mT).softmax(-1), v),
        "scaled_dot_product_attention": lambda: F.scaled_dot_product_attention(q, k, v),
        "ours in float32": lambda: exp_attention(*single),
    }


def filling(dtype: torch.dtype, context: int) -> dict[str, Callable[[], object]]:
    """Scores and weighted sum over the first half of a ring, which is not contiguous."""
    q = torch.randn(SLOTS * HEADS, CLIP, WIDTH // HEADS).to(dtype)
    ring = torch.randn(len(q), context, WIDTH // HEADS).to(dtype)
    held = ring[:, : context // 2]
    scores = torch.randn(len(q), CLIP, context // 2).to(dtype)
    return {
        "scores of strided keys": lambda: torch.bmm(q, held.mT),
        "scores of their copy, copying included": lambda: torch.bmm(q, held.contiguous().mT),
        "weighted sum of strided values": lambda: torch.bmm(scores, held),
        "weighted sum of their copy": lambda: torch.bmm(scores, held.contiguous()),
    }


def norms(dtype: torch.dtype) -> dict[str, Callable[[], object]]:
    """Queries and keys of a clip, normalised per head; without a mean in the second."""
    both = torch.randn(2, SLOTS, HEADS, CLIP, WIDTH // HEADS).to(dtype)
    shape, eps = both.shape[-1:], torch.tensor(1e-2, dtype=dtype)
    return {
        "layer norm": lambda: (F.layer_norm(both[0], shape), F.layer_norm(both[1], shape)),
        "RMS norm": lambda: F.rms_norm(both, shape),
        "to unit length": lambda: to_unit_length(both.clone(), eps),
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
        (
            f"{CLIP} frames over half of a ring of {options.context}",
            filling(dtype, options.context),
        ),
        ("queries and keys of a clip", norms(dtype)),
    ):
        times = in_turns(calls)
        first = next(iter(times.values()))
        print(f"{title}, {dtype}, {options.threads} thread(s)")
        for name, value in times.items():
            print(f"  {name:46} {value:7.0f} us   {value / first:5.2f}")


if __name__ == "__main__":
    main()

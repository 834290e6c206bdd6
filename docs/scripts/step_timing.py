"""A whole denoising step in the forms that were tried, in turns: plain, as it runs, as an
ahead-of-time compiled graph (`--compile`, needs a C++ compiler), with weights of eight bits. With
`--data`, the error of clips that they predict after held-out frames, too.

    python docs/scripts/step_timing.py [--contexts 40,512] [--compile] [--data data/pick_place_e]
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dva_ros.benchmark.workloads import VideoSessions
from dva_ros.compute.ceilings import products_seconds
from dva_ros.compute.products import denoise_products
from dva_ros.data.store import EpisodeStore
from dva_ros.training.predicted_clips import imagine
from dva_ros.video.cached import denoise_clip
from dva_ros.video.checkpoint import load_model
from dva_ros.video.layout import NUM_PINNED
from dva_ros.video.model import VideoModel
from dva_ros.video.precision import fast_dtype
from dva_ros.video.predictor import VideoPredictor

AS_IT_RUNS = "as it runs (clip_denoiser.py)"
LEVEL = 0.25
BURST = 3
Step = Callable[[Tensor, float], Tensor]


class Int8Linear(nn.Module):
    """A layer without bias whose weights have eight bits, one scale for every output, and whose
    input is quantised when it comes, with one scale for all of it."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        weight = layer.weight.detach().float()
        scale = (weight.abs().amax(1) / 127).double()
        zeros = torch.zeros(len(scale), dtype=torch.int64)
        quantised = torch.quantize_per_channel(weight, scale, zeros, 0, torch.qint8)
        self._packed = torch.ops.quantized.linear_prepack(quantised, None)

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs] in the dtype of x."""
        result: Tensor = torch.ops.quantized.linear_dynamic(x.float(), self._packed)
        return result.to(x.dtype)


def in_eight_bits(model: VideoModel) -> VideoModel:
    """A copy in which the products of all blocks are such layers."""
    quantised = copy.deepcopy(model)
    for parent in list(quantised.blocks.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Linear):
                setattr(parent, name, Int8Linear(layer))
    return quantised


def plain_step(sessions: VideoSessions, model: VideoModel) -> Step:
    """`denoise_clip` on what the sessions hold."""
    clip = sessions._committed, sessions._count, sessions._anchor, sessions._last

    def step(noisy: Tensor, level: float) -> Tensor:
        return denoise_clip(model, sessions.cache, noisy, torch.tensor([level]), *clip)

    return step


class PlainPredictor(VideoPredictor):
    """Without the denoiser of a CPU; of a copy in eight bits, if asked for."""

    def __init__(self, model: VideoModel, eight_bits: bool = False) -> None:
        super().__init__(model)
        self._denoiser = None
        if eight_bits:
            self._model = in_eight_bits(model)


def timed(model: VideoModel, context: int, rounds: int, compiled: bool) -> None:
    """Print medians of the process's own time, and how far results are from float32's."""
    sessions = VideoSessions(model, context, 1, 1)
    noisy = sessions._noisy
    plain = plain_step(sessions, model)
    steps: dict[str, Step] = {
        "plain": plain,
        AS_IT_RUNS: sessions._denoise,
        "plain, weights of eight bits": plain_step(sessions, in_eight_bits(model)),
    }
    if compiled:
        graph = torch.compile(plain, dynamic=False)
        begun = time.perf_counter()
        graph(noisy, LEVEL)
        print(f"compiling took {time.perf_counter() - begun:.0f} s")
        steps["plain, compiled (inductor)"] = graph
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            step(noisy, LEVEL)
            for _ in range(BURST):
                begun = time.thread_time()
                step(noisy, LEVEL)
                spent[name].append(1e3 * (time.thread_time() - begun))
    first = statistics.median(spent["plain"])
    expected = plain(noisy, LEVEL).float()
    print(f"a step, {context} frames of context, {model.dtype}, one thread")
    for name, times in spent.items():
        middle = statistics.median(times)
        away = (steps[name](noisy, LEVEL).float() - expected).square().mean().sqrt()
        print(f"  {name:32} {middle:7.2f} ms {middle / first:6.3f}   {away:.5f} from plain")
    # The pinned keys are no product in the step as it runs.
    products = denoise_products(model.config, context, 1)
    alone = products_seconds([p for p in products if NUM_PINNED not in (p.k, p.n)], model.dtype)
    share = 1e3 * alone / min(spent[AS_IT_RUNS])
    print(f"  its products alone, best of several: {share:.0%} of the best step as it runs")


def held_out(path: Path, data: Path, clips: int) -> None:
    """Print errors of predicted clips, mean square in the signal's units (-1..1)."""
    model, exact = load_model(path, fast_dtype()), load_model(path, torch.float32)
    store = EpisodeStore.open([data], exact.config.spec).split()[1]
    predictors: dict[str, VideoPredictor] = {
        "plain, float32": PlainPredictor(exact),
        f"plain, {model.dtype}": PlainPredictor(model),
        f"as it runs, {model.dtype}": VideoPredictor(model),
        "plain, weights of eight bits": PlainPredictor(model, eight_bits=True),
    }
    horizon, first = model.config.horizon, None
    print(f"{clips} clips of held-out episodes of {data}")
    for name, predictor in predictors.items():
        committed = model.config.typical_committed, model.config.typical_committed
        imagined = list(
            islice(imagine(predictor, store, horizon, committed, np.random.default_rng(0)), clips)
        )
        found = np.stack([clip for _, clip in imagined]).astype(np.float32) / 127.5
        frames = np.stack([store.gather_frames(n + 1 + np.arange(horizon)) for n, _ in imagined])
        error = float(np.square(found - frames.astype(np.float32) / 127.5).mean())
        first = found if first is None else first
        away = float(np.square(found - first).mean())
        print(f"  {name:32} error {error:.6f}   {away:.6f} from float32")


@torch.inference_mode()
def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path("models/cpu/video"))
    parser.add_argument("--contexts", default="40,512")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--clips", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.checkpoint, fast_dtype())
    for context in options.contexts.split(","):
        timed(model, int(context), options.rounds, options.compile)
    if options.data is not None:
        held_out(options.checkpoint, options.data, options.clips)


if __name__ == "__main__":
    main()

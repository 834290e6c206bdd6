"""Operations and bytes that the benchmark counts are those of the models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from tiny import random_batch, random_model, tiny_config
from torch.utils.flop_counter import FlopCounterMode

from dva_ros.compute.cost import append_cost, decode_cost, denoise_cost
from dva_ros.compute.products import Product
from dva_ros.compute.training_products import TrainingShape, forward_operations, step_operations
from dva_ros.inverse_dynamics.config import InverseDynamicsConfig
from dva_ros.inverse_dynamics.model import InverseDynamicsNet
from dva_ros.video.cached import append_frame, denoise_clip, pin_instruction
from dva_ros.video.kv_cache import KVCache
from dva_ros.video.layout import ParallelLayout

CONTEXT = 5


def counted(call: Callable[[], object]) -> int:
    """What torch counts."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("changes", [{}, {"patch_margin": 0, "stem_width": 0}, {"depth": 1}])
def test_operations_of_the_video_model_are_those_that_torch_counts(
    batch: int, changes: dict[str, int]
) -> None:
    """Appending to a full ring and denoising, with and without wide patches and stem."""
    config = tiny_config(**changes)
    model, cache = random_model(config), KVCache(config, CONTEXT, torch.float32, batch=batch)
    patches = (config.num_patches, config.patch_dim)
    frame, state = torch.zeros(batch, *patches), torch.zeros(batch, 3)
    noisy, committed = torch.zeros(batch, 4, *patches), torch.zeros(batch, 4, 3)
    level, count = torch.zeros(batch), torch.ones(batch, dtype=torch.int64)
    with torch.no_grad():
        pin_instruction(model, cache, torch.zeros(batch, config.max_words, dtype=torch.int64))
        for _ in range(CONTEXT):
            anchor = append_frame(model, cache, frame, state)
    appended = counted(lambda: append_frame(model, cache, frame, state))
    denoised = counted(
        lambda: denoise_clip(model, cache, noisy, level, committed, count, anchor, frame)
    )
    assert append_cost(config, CONTEXT, batch, 4).operations == appended
    assert denoise_cost(config, CONTEXT, batch, 4).operations == denoised


@pytest.mark.parametrize("batch", [1, 2])
def test_operations_of_inverse_dynamics_are_those_that_torch_counts(batch: int) -> None:
    """Convolutions, spatial softmax and the transformer over the frames."""
    config = InverseDynamicsConfig()
    net, spec = InverseDynamicsNet(config), config.spec
    frames = torch.zeros(batch, config.num_frames, spec.mosaic_height, spec.mosaic_width, 3)
    state = torch.zeros(batch, spec.num_joints)
    assert decode_cost(config, batch, 4).operations == counted(lambda: net(frames, state))


def test_a_product_knows_its_size() -> None:
    """By hand: two products [3, 4, 5] x [3, 5, 6] with one weight matrix."""
    product = Product(3, 4, 5, 6, count=2, weights=1)
    assert product.operations == 2 * 2 * 3 * 4 * 5 * 6
    assert (product.weight_numbers, product.stored_numbers) == (30, 2 * 3 * 4 * 6)


def test_bytes_of_a_step_grow_by_the_cache_only() -> None:
    """Another frame of context adds its keys and values, read once, in global layers; weights are
    read once whatever the batch."""
    config = tiny_config()

    def ring_bytes(frames: int) -> int:
        storage = KVCache(config, frames, torch.bfloat16).storage()[2:]
        return sum(tensor.nbytes for tensor in storage)

    assert ring_bytes(9) - ring_bytes(8) < ring_bytes(2) - ring_bytes(1)
    near, far = (denoise_cost(config, frames, 1, 2).bytes_moved for frames in (8, 9))
    assert far - near == ring_bytes(9) - ring_bytes(8)
    weights = 2 * near - denoise_cost(config, 8, 2, 2).bytes_moved
    model, unused = random_model(config), ("real_patch", "wide_patch", "stem", "state", "word")
    matrices = [
        value.numel()
        for name, value in model.named_parameters()
        if value.dim() >= 2 and name.split(".")[1] not in (*unused, "slot", "offset")
    ]
    assert weights == 2 * sum(matrices)


@pytest.mark.parametrize("changes", [{}, {"patch_margin": 0, "stem_width": 0, "depth": 1}])
def test_operations_of_a_training_step_are_those_that_torch_counts(
    changes: dict[str, int],
) -> None:
    """Forward and backward of two sequences, to the last operation, with what the mask hides;
    without it exactly the hidden pairs of frames are missing."""
    config = tiny_config(**changes)
    starts = [1, 4, 9]
    model, batch = random_model(config).train(), random_batch(config, 2, 10, starts)
    with FlopCounterMode(display=False) as counter:
        prediction = model(batch)
        forward = counter.get_total_flops()
        prediction.sum().backward()
    shape = TrainingShape(2, 10, starts, count_masked=True)
    assert forward_operations(config, shape) == forward
    assert step_operations(config, shape) == counter.get_total_flops()

    layout = ParallelLayout.build(10, torch.tensor(starts), 4)
    hidden = [~layout.mask(window) for window in config.windows(config.context_frames)]
    pairs = int(sum(mask.sum() for mask in hidden[:-1]) + hidden[-1][11:].sum())
    spared = 4 * 2 * config.num_slots * config.width * pairs
    seen = replace(shape, count_masked=False)
    assert forward_operations(config, seen) == forward - spared
    assert step_operations(config, seen) == counter.get_total_flops() - 3 * spared

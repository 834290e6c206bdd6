"""Operations of one training step of the video model: what the model needs, not what a mask or
an optimiser adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..video.config import VideoModelConfig
from ..video.embedding import LEVEL_FEATURES
from ..video.layout import NUM_PINNED
from .products import (
    Product,
    attention,
    block_products,
    linear,
    real_embedding,
    rotation,
    times,
)


@dataclass(frozen=True)
class TrainingShape:
    """Of one forward.

    Attributes:
        batch: sequences.
        num_real: real frames of each.
        clip_start: index of the last real frame before each clip.
        count_masked: count hidden pairs of frames, too, which dense products compute.
    """

    batch: int
    num_real: int
    clip_start: Sequence[int]
    count_masked: bool = False


def forward_operations(config: VideoModelConfig, shape: TrainingShape) -> int:
    """Multiplications and additions of one forward of all clips."""
    return (
        _total(_inputs(config, shape))
        + _total(_rotations(config, shape))
        + _total(_inner(config, shape))
    )


def step_operations(config: VideoModelConfig, shape: TrainingShape) -> int:
    """Of one forward and its backward pass: every product has two more for its gradients, but
    those of the inputs, which need none of their own, and of constants, which have none."""
    once = _total(_inputs(config, shape)) + _total(_rotations(config, shape))
    return 2 * once + 3 * _total(_inner(config, shape))


def dense_step_operations(config: VideoModelConfig, shape: TrainingShape) -> int:
    """`step_operations` of a `DenseVideoModel`."""
    width, slots, heads, d = config.width, config.num_slots, config.heads, config.head_dim
    clips, frames = _clips(config, shape)[0], _frames(config, shape)
    tokens = shape.batch * frames * slots
    pairs = _pairs(config, shape, config.context_frames, with_real=True) * slots**2
    block = [
        linear(tokens, width, 3 * width),
        linear(tokens, width, width),
        linear(tokens, width, config.mlp_ratio * width),
        linear(tokens, config.mlp_ratio * width, width),
        *attention(config, shape.batch, frames * slots, NUM_PINNED * slots),
        Product(shape.batch * heads, pairs, d, 1, count=2, stored=False),
        *attention(config, clips, config.horizon * slots, config.horizon * slots),
    ]
    once = _total(_inputs(config, shape))
    once += config.depth * rotation(config, tokens, count=2).operations
    inner = _total([*_around_blocks(config, shape), *times(block, config.depth)])
    return 2 * once + 3 * inner


def _total(products: Iterable[Product]) -> int:
    return sum(product.operations for product in products)


def _clips(config: VideoModelConfig, shape: TrainingShape) -> tuple[int, int]:
    """Clips of all sequences, and their frames."""
    clips = shape.batch * len(shape.clip_start)
    return clips, clips * config.horizon


def _inputs(config: VideoModelConfig, shape: TrainingShape) -> list[Product]:
    """Products of what is given: frames, joints, noised clips, commands, noise levels."""
    width, joints = config.width, config.spec.num_joints
    clips, frames = _clips(config, shape)
    given, _ = _real(config, shape)
    return [
        *given,
        linear(frames * config.num_patches, config.patch_dim, width),
        linear(frames, joints, width),
        *times([_level(config, clips)[0]], 2),
    ]


def _real(config: VideoModelConfig, shape: TrainingShape) -> tuple[list[Product], list[Product]]:
    """Embedding of the real frames: products of pixels and joints, and those of the stem after
    its first convolution."""
    products = real_embedding(config, shape.batch * shape.num_real)
    first = 3 if config.patch_margin else 2
    first += 1 if config.stem_width else 0
    return products[:first], products[first:]


def _level(config: VideoModelConfig, clips: int) -> list[Product]:
    return [linear(clips, LEVEL_FEATURES, config.width), linear(clips, config.width, config.width)]


def _frames(config: VideoModelConfig, shape: TrainingShape) -> int:
    """Frames of one sequence: pinned, real, clips."""
    return NUM_PINNED + shape.num_real + len(shape.clip_start) * config.horizon


def _rotations(config: VideoModelConfig, shape: TrainingShape) -> list[Product]:
    slots = shape.batch * config.num_slots
    whole = rotation(config, slots * _frames(config, shape), count=2)
    last = [
        rotation(config, slots * _frames(config, shape), count=1),
        rotation(config, _clips(config, shape)[1] * config.num_slots, count=1),
    ]
    return [*times([whole], config.depth - 1), *last]


def _inner(config: VideoModelConfig, shape: TrainingShape) -> list[Product]:
    width, slots = config.width, config.num_slots
    clips, clip_frames = _clips(config, shape)
    frames = _frames(config, shape)
    own = attention(config, clips * slots, config.horizon, config.horizon)
    windows = config.windows(config.context_frames)
    whole = [*block_products(config, frames, shape.batch), *own]
    over_time = [
        product
        for window in windows[:-1]
        for product in _over_time(
            config, shape, frames, _pairs(config, shape, window, with_real=True)
        )
    ]
    last = [
        # Context frames need nothing but keys and values in the last block.
        linear(shape.batch * (frames * slots) - clip_frames * slots, width, 3 * width),
        *block_products(config, clip_frames // shape.batch, shape.batch),
        *_over_time(
            config,
            shape,
            clip_frames // shape.batch,
            _pairs(config, shape, windows[-1], with_real=False),
        ),
        *own,
    ]
    return [
        *_around_blocks(config, shape),
        *times(whole, config.depth - 1),
        *over_time,
        *last,
    ]


def _around_blocks(config: VideoModelConfig, shape: TrainingShape) -> list[Product]:
    """Of the embedding, after its inputs, and of the head."""
    width, (clips, clip_frames) = config.width, _clips(config, shape)
    return [
        *_real(config, shape)[1],
        linear(clips * config.num_slots, width, width),
        *times([_level(config, clips)[1]], 2),
        linear(clips, width, 2 * width),
        linear(clip_frames * config.num_patches, width, config.patch_dim + config.patch**2),
    ]


def _over_time(
    config: VideoModelConfig, shape: TrainingShape, queries: int, pairs: int
) -> list[Product]:
    """Attention of frames to the pinned segment, and over so many pairs with real frames."""
    groups, d = shape.batch * config.num_slots, config.head_dim
    return [
        *attention(config, groups, queries, NUM_PINNED),
        Product(groups * config.heads, pairs, d, 1, count=2, stored=False),
    ]


def _pairs(config: VideoModelConfig, shape: TrainingShape, window: int, with_real: bool) -> int:
    """Pairs of a frame and a real frame that it sees in a layer's window, in one sequence."""
    horizon = config.horizon
    if shape.count_masked:
        queries = len(shape.clip_start) * horizon
        queries += NUM_PINNED + shape.num_real if with_real else 0
        return queries * shape.num_real
    seen = horizon * sum(min(start + 1, window) for start in shape.clip_start)
    if with_real:
        seen += sum(min(frame + 1, window) for frame in range(shape.num_real))
    return seen

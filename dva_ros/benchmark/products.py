"""The matrix products of every part of the models, counted from their configurations.

Convolutions are written as the products that they are. Element-wise work is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..inverse_dynamics.config import InverseDynamicsConfig
from ..inverse_dynamics.encoder import INPUT_CHANNELS
from ..spec import CameraSpec
from ..video.config import VideoModelConfig
from ..video.embedding import LEVEL_FEATURES
from ..video.layout import NUM_PINNED


@dataclass(frozen=True)
class Product:
    """`count` equal products [batch, m, k] x [batch, k, n].

    Attributes:
        weights: distinct weight matrices [k, n] among the second factors; 0 where those are
            activations, too.
        stored: the result must reach memory once; not so for attention scores and other results
            that a fused kernel would keep to itself.
    """

    batch: int
    m: int
    k: int
    n: int
    count: int = 1
    weights: int = 0
    stored: bool = True

    @property
    def operations(self) -> int:
        """Multiplications and additions of all `count`."""
        return 2 * self.count * self.batch * self.m * self.k * self.n

    @property
    def weight_numbers(self) -> int:
        """Numbers in the weights."""
        return self.weights * self.k * self.n

    @property
    def stored_numbers(self) -> int:
        """Numbers in the results that reach memory."""
        return self.count * self.batch * self.m * self.n if self.stored else 0


def append_products(config: VideoModelConfig, context: int, batch: int) -> list[Product]:
    """Of encoding one frame of `batch` sessions; `context` frames with it.

    The last block of a context frame needs keys and values only.
    """
    width, tokens = config.width, batch * config.num_slots
    whole = _block(config, frames=1, batch=batch) + _temporal(config, 1, context, batch)
    return [
        *_real_embedding(config, batch),
        *_times(whole, config.depth - 1),
        _linear(tokens, width, 3 * width),
        _rotation(config, tokens, count=1),
    ]


def denoise_products(config: VideoModelConfig, context: int, batch: int) -> list[Product]:
    """Of one denoising step of `batch` clips with `context` frames before each."""
    width, horizon = config.width, config.horizon
    patches = batch * horizon * config.num_patches
    own = _attention(config, batch * config.num_slots, horizon, horizon, stored=False)
    block = [
        *_block(config, horizon, batch),
        *_temporal(config, horizon, context, batch),
        *own,
    ]
    return [
        _linear(patches, config.patch_dim, width),
        _linear(batch * horizon, config.spec.num_joints, width),
        _linear(batch * config.num_slots, width, width),
        # The level is embedded for the clip and again for the head.
        replace(_linear(batch, LEVEL_FEATURES, width), count=2),
        replace(_linear(batch, width, width), count=2),
        *_times(block, config.depth),
        _linear(batch, width, 2 * width),
        _linear(patches, width, config.patch_dim + config.patch**2),
    ]


def decode_products(config: InverseDynamicsConfig, batch: int) -> list[Product]:
    """Of the inverse dynamics of `batch` clips."""
    width, frames, joints = config.width, config.num_frames, config.spec.num_joints
    tokens, head_dim = batch * frames, width // config.heads
    layer = [
        _linear(tokens, width, 3 * width),
        Product(batch * config.heads, frames, head_dim, frames, stored=False),
        Product(batch * config.heads, frames, frames, head_dim),
        _linear(tokens, width, width),
        _linear(tokens, width, 4 * width),
        _linear(tokens, 4 * width, width),
    ]
    return [
        *(p for camera in config.spec.cameras for p in _encoder(config, camera, tokens)),
        _linear(batch, joints, width),
        _linear(batch, width, width),
        *_times(layer, config.depth),
        _linear(batch * config.horizon, width, joints),
    ]


def _linear(tokens: int, inputs: int, outputs: int) -> Product:
    return Product(1, tokens, inputs, outputs, weights=1)


def _times(products: Iterable[Product], layers: int) -> list[Product]:
    return [replace(p, count=p.count * layers, weights=p.weights * layers) for p in products]


def _attention(
    config: VideoModelConfig, groups: int, queries: int, keys: int, stored: bool = True
) -> list[Product]:
    """Scores and weighted sum of `groups` groups of tokens, over all heads."""
    batch, d = groups * config.heads, config.head_dim
    return [
        Product(batch, queries, d, keys, stored=False),
        Product(batch, queries, keys, d, stored=stored),
    ]


def _rotation(config: VideoModelConfig, tokens: int, count: int) -> Product:
    d = config.head_dim
    return Product(1, tokens * config.heads, d, d, count=count, stored=False)


def _temporal(config: VideoModelConfig, frames: int, context: int, batch: int) -> list[Product]:
    """Attention of frames to the pinned segment and to the ring, rotations with it."""
    groups = batch * config.num_slots
    return [
        _rotation(config, groups * frames, count=2),
        *_attention(config, groups, frames, NUM_PINNED, stored=False),
        *_attention(config, groups, frames, context),
    ]


def _block(config: VideoModelConfig, frames: int, batch: int) -> list[Product]:
    """A block without its attention over time."""
    width, slots = config.width, config.num_slots
    tokens, hidden = batch * frames * slots, config.width * config.mlp_ratio
    projections = [_linear(tokens, width, 3 * width), _linear(tokens, width, width)]
    return [
        *projections,
        *projections,
        *_attention(config, batch * frames, slots, slots),
        _linear(tokens, width, hidden),
        _linear(tokens, hidden, width),
    ]


def _real_embedding(config: VideoModelConfig, batch: int) -> list[Product]:
    patches, width = batch * config.num_patches, config.width
    products = [
        _linear(patches, config.patch_dim, width),
        _linear(batch, config.spec.num_joints, width),
    ]
    if config.patch_margin:
        side = config.patch + 2 * config.patch_margin
        products.append(_linear(patches, 3 * side**2, width))
    if config.stem_width:
        pixels = batch * config.spec.mosaic_height * config.spec.mosaic_width
        channels, halvings = 3, config.patch.bit_length() - 1
        for depth in range(1, halvings + 1):
            out = width if depth == halvings else config.stem_width * depth
            products.append(_linear(pixels // 4**depth, 16 * channels, out))
            channels = out
    return products


def _encoder(config: InverseDynamicsConfig, camera: CameraSpec, images: int) -> list[Product]:
    half, quarter, eighth = config.channels
    pixels = images * camera.height * camera.width
    places = camera.height * camera.width // 16
    flat = config.map_channels * (camera.height // 8) * (camera.width // 8)
    inner = _linear(pixels // 16, 9 * quarter, quarter)
    outer = _linear(pixels // 64, 9 * eighth, eighth)
    return [
        _linear(pixels // 4, 25 * INPUT_CHANNELS, half),
        _linear(pixels // 16, 9 * half, quarter),
        *(inner, inner),
        _linear(pixels // 16, quarter, config.keypoints),
        _linear(pixels // 64, 9 * quarter, eighth),
        *(outer, outer),
        _linear(pixels // 64, eighth, config.map_channels),
        _linear(images, flat, config.width),
        _linear(images, 2 * config.keypoints, config.width),
        Product(images, 2, places, config.keypoints),
    ]

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
    windows = config.windows(context)[:-1]
    return [
        *real_embedding(config, batch),
        *times(block_products(config, frames=1, batch=batch), len(windows)),
        *(p for window in windows for p in _temporal(config, 1, window, batch)),
        linear(tokens, width, 3 * width),
        rotation(config, tokens, count=1),
    ]


def denoise_products(config: VideoModelConfig, context: int, batch: int) -> list[Product]:
    """Of one denoising step of `batch` clips with `context` frames before each."""
    width, horizon = config.width, config.horizon
    patches = batch * horizon * config.num_patches
    own = attention(config, batch * config.num_slots, horizon, horizon, stored=False)
    windows = config.windows(context)
    return [
        linear(patches, config.patch_dim, width),
        linear(batch * horizon, config.spec.num_joints, width),
        linear(batch * config.num_slots, width, width),
        # The level is embedded for the clip and again for the head.
        replace(linear(batch, LEVEL_FEATURES, width), count=2),
        replace(linear(batch, width, width), count=2),
        *times([*block_products(config, horizon, batch), *own], config.depth),
        *(p for window in windows for p in _temporal(config, horizon, window, batch)),
        linear(batch, width, 2 * width),
        linear(patches, width, config.patch_dim + config.patch**2),
    ]


def decode_products(config: InverseDynamicsConfig, batch: int) -> list[Product]:
    """Of the inverse dynamics of `batch` clips."""
    width, frames, joints = config.width, config.num_frames, config.spec.num_joints
    tokens, head_dim = batch * frames, width // config.heads
    layer = [
        linear(tokens, width, 3 * width),
        Product(batch * config.heads, frames, head_dim, frames, stored=False),
        Product(batch * config.heads, frames, frames, head_dim),
        linear(tokens, width, width),
        linear(tokens, width, 4 * width),
        linear(tokens, 4 * width, width),
    ]
    return [
        *(p for camera in config.spec.cameras for p in _encoder(config, camera, tokens)),
        linear(batch, joints, width),
        linear(batch, width, width),
        *times(layer, config.depth),
        linear(batch * config.horizon, width, joints),
    ]


def linear(tokens: int, inputs: int, outputs: int) -> Product:
    """A layer's weights over so many tokens."""
    return Product(1, tokens, inputs, outputs, weights=1)


def times(products: Iterable[Product], layers: int) -> list[Product]:
    """The same in every layer."""
    return [replace(p, count=p.count * layers, weights=p.weights * layers) for p in products]


def attention(
    config: VideoModelConfig, groups: int, queries: int, keys: int, stored: bool = True
) -> list[Product]:
    """Scores and weighted sum of `groups` groups of tokens, over all heads."""
    batch, d = groups * config.heads, config.head_dim
    return [
        Product(batch, queries, d, keys, stored=False),
        Product(batch, queries, keys, d, stored=stored),
    ]


def rotation(config: VideoModelConfig, tokens: int, count: int) -> Product:
    """Of queries, or keys, to the index of their frame."""
    d = config.head_dim
    return Product(1, tokens * config.heads, d, d, count=count, stored=False)


def _temporal(config: VideoModelConfig, frames: int, context: int, batch: int) -> list[Product]:
    """Attention of frames to the pinned segment and to the ring, rotations with it."""
    groups = batch * config.num_slots
    return [
        rotation(config, groups * frames, count=2),
        *attention(config, groups, frames, NUM_PINNED, stored=False),
        *attention(config, groups, frames, context),
    ]


def block_products(config: VideoModelConfig, frames: int, batch: int) -> list[Product]:
    """A block without its attention over time."""
    width, slots = config.width, config.num_slots
    tokens, hidden = batch * frames * slots, config.width * config.mlp_ratio
    projections = [linear(tokens, width, 3 * width), linear(tokens, width, width)]
    return [
        *projections,
        *projections,
        *attention(config, batch * frames, slots, slots),
        linear(tokens, width, hidden),
        linear(tokens, hidden, width),
    ]


def real_embedding(config: VideoModelConfig, batch: int) -> list[Product]:
    """Of `batch` real frames: patches, joints, wide patches, then the stem's convolutions."""
    patches, width = batch * config.num_patches, config.width
    products = [
        linear(patches, config.patch_dim, width),
        linear(batch, config.spec.num_joints, width),
    ]
    if config.patch_margin:
        side = config.patch + 2 * config.patch_margin
        products.append(linear(patches, 3 * side**2, width))
    if config.stem_width:
        pixels = batch * config.spec.mosaic_height * config.spec.mosaic_width
        channels, halvings = 3, config.patch.bit_length() - 1
        for depth in range(1, halvings + 1):
            out = width if depth == halvings else config.stem_width * depth
            products.append(linear(pixels // 4**depth, 16 * channels, out))
            channels = out
    return products


def _encoder(config: InverseDynamicsConfig, camera: CameraSpec, images: int) -> list[Product]:
    half, quarter, eighth = config.channels
    pixels = images * camera.height * camera.width
    places = camera.height * camera.width // 16
    flat = config.map_channels * (camera.height // 8) * (camera.width // 8)
    inner = linear(pixels // 16, 9 * quarter, quarter)
    outer = linear(pixels // 64, 9 * eighth, eighth)
    return [
        linear(pixels // 4, 25 * INPUT_CHANNELS, half),
        linear(pixels // 16, 9 * half, quarter),
        *(inner, inner),
        linear(pixels // 16, quarter, config.keypoints),
        linear(pixels // 64, 9 * quarter, eighth),
        *(outer, outer),
        linear(pixels // 64, eighth, config.map_channels),
        linear(images, flat, config.width),
        linear(images, 2 * config.keypoints, config.width),
        Product(images, 2, places, config.keypoints),
    ]

"""The architecture of the causal video model, as stored in a checkpoint's `config.yaml`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from dva_ros.spec import CellSpec, SpecMismatchError


@dataclass(frozen=True)
class VideoModelConfig:
    """Shapes and constants that weights depend on.

    Attributes:
        spec: cameras, joints and grid period the weights were trained for.
        state_mean: mean of every joint position over the training data, [J], rad or m.
        state_std: its standard deviation, [J]; commands are normalised by the same numbers.
        patch: side of a square patch in pixels.
        patch_margin: pixels beyond each side of its patch that a real frame's token sees, too; 0
            for patches that end at their edges.
        stem_width: features of the first of the convolutions over a real frame; 0 for none.
        width: features of a token.
        depth: number of blocks.
        heads: attention heads; `width` is divisible by it.
        mlp_ratio: hidden features of a block's MLP over `width`.
        horizon: frames of a predicted clip (H).
        max_committed: greatest number of committed frames (d) seen in training.
        typical_committed: the d that half of all training clips have; a quarter has the greatest.
        context_frames: attention window over real frames, the newest included, of global layers.
        local_frames: the window of local layers, where it is the shorter one.
        global_every: every so many-th layer, the last among them, is global, the others local.
        word_buckets: hash buckets of instruction words.
        max_words: longest instruction in words.
        num_steps: denoising steps used by default.
        temperature: standard deviation of the noise that clips are sampled from; 1 draws from all
            that the model thinks possible, 0 always gives the same answer, near their mean.
    """

    spec: CellSpec
    state_mean: tuple[float, ...]
    state_std: tuple[float, ...]
    patch: int = 16
    patch_margin: int = 0
    stem_width: int = 0
    width: int = 192
    depth: int = 6
    heads: int = 6
    mlp_ratio: int = 4
    horizon: int = 8
    max_committed: int = 4
    typical_committed: int = 3
    context_frames: int = 48
    local_frames: int = 64
    global_every: int = 3
    word_buckets: int = 512
    max_words: int = 20
    num_steps: int = 4
    temperature: float = 1.0

    def __post_init__(self) -> None:
        for name in ("mosaic_height", "mosaic_width"):
            if getattr(self.spec, name) % self.patch:
                raise ValueError(f"{name} {getattr(self.spec, name)} is no multiple of the patch")
        if self.stem_width and self.patch & (self.patch - 1):
            raise ValueError(f"the stem halves patches: {self.patch} is no power of two")
        if self.width % self.heads or self.head_dim % 2:
            raise ValueError(f"width {self.width} does not split into {self.heads} even heads")
        for name in ("state_mean", "state_std"):
            if len(getattr(self, name)) != self.spec.num_joints:
                raise ValueError(f"{name} must hold {self.spec.num_joints} numbers")
        if not 0 <= self.typical_committed <= self.max_committed < self.horizon:
            raise ValueError("typical_committed <= max_committed < horizon does not hold")
        if not 0.0 <= self.temperature <= 1.0:
            raise ValueError(f"temperature {self.temperature} is not between 0 and 1")
        if self.local_frames < 1 or self.global_every < 1:
            raise ValueError("local_frames and global_every must be 1 or more")
        if self.max_words > self.num_slots:
            raise ValueError(f"max_words {self.max_words} exceeds the {self.num_slots} slots")

    @property
    def num_patches(self) -> int:
        """Patches of one mosaic."""
        return (self.spec.mosaic_height // self.patch) * (self.spec.mosaic_width // self.patch)

    @property
    def num_slots(self) -> int:
        """Tokens of one frame: the patches, then one for proprioception."""
        return self.num_patches + 1

    @property
    def patch_dim(self) -> int:
        """Numbers in one RGB patch."""
        return 3 * self.patch**2

    @property
    def head_dim(self) -> int:
        """Features of one attention head."""
        return self.width // self.heads

    def windows(self, context: int) -> tuple[int, ...]:
        """How many real frames each layer sees of a context of so many.

        Local layers, and one that sees everything after every few, keep the cost of a long
        context low (Gemma 2, arXiv 2408.00118). The last layer is global.
        """
        return tuple(
            context if layers_after % self.global_every == 0 else min(context, self.local_frames)
            for layers_after in reversed(range(self.depth))
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, for YAML."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "spec"}
        values["state_mean"], values["state_std"] = list(self.state_mean), list(self.state_std)
        return {**values, "spec": _plain(asdict(self.spec))}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> VideoModelConfig:
        """Inverse of `to_dict`; raises `SpecMismatchError` naming an unknown or missing field."""
        known = {f.name for f in fields(VideoModelConfig)}
        if unknown := sorted(set(values) - known):
            raise SpecMismatchError(f"unknown field of a video model: {', '.join(unknown)}")
        for name in ("spec", "state_mean", "state_std"):
            if name not in values:
                raise SpecMismatchError(f"the field {name} of a video model is missing")
        given = dict(values)
        given["spec"] = CellSpec.from_dict(given["spec"])
        given["state_mean"] = tuple(given["state_mean"])
        given["state_std"] = tuple(given["state_std"])
        try:
            return VideoModelConfig(**given)
        except ValueError as error:
            raise SpecMismatchError(f"not a video model: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value

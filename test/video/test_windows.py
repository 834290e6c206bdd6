"""Local layers see a short window, global ones the whole context."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import random_batch, random_model, tiny_config

from dva_ros.video.config import VideoModelConfig
from dva_ros.video.kv_cache import KVCache
from dva_ros.video.model import VideoModel


def test_every_so_many_th_layer_from_the_last_is_global() -> None:
    config = tiny_config(depth=7, local_frames=4, global_every=3)
    assert config.windows(10) == (10, 4, 4, 10, 4, 4, 10)
    assert config.windows(3) == (3,) * 7
    rings = KVCache(config, 10, torch.float32).storage()[2:]
    assert [ring.shape[-2] for ring in rings] == 2 * [10, 4, 4, 10, 4, 4, 10]


def test_a_checkpoint_from_before_local_layers_loads() -> None:
    """Its context is shorter than the local window, so nothing changes."""
    written = tiny_config(local_frames=64, global_every=3).to_dict()
    for name in ("local_frames", "global_every", "temperature"):
        del written[name]
    assert VideoModelConfig.from_dict(written).windows(6) == (6, 6, 6)


@pytest.mark.parametrize("name", ["local_frames", "global_every"])
def test_no_window_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        tiny_config(**{name: 0})


@pytest.mark.parametrize(("global_every", "seen"), [(1, True), (2, False)])
def test_a_frame_beyond_the_window_is_seen_by_a_global_layer_only(
    global_every: int, seen: bool
) -> None:
    """A clip after frame 9 sees frame 4 in the last of two layers. Whether that has seen frame 0,
    or frame 1 at the furthest, is for the first layer's window of 6 or 4."""
    config = tiny_config(depth=2, context_frames=6, local_frames=4, global_every=global_every)
    model, batch = random_model(config), random_batch(config, 1, 10, [9])

    def changed_by(frame: int) -> bool:
        frames = batch.frames.clone()
        frames[:, frame] += 1
        with torch.inference_mode():
            return not torch.equal(model(replace(batch, frames=frames)), before)

    with torch.inference_mode():
        before = model(batch)
    assert changed_by(1)
    assert changed_by(0) is seen


def test_a_context_within_the_local_window_is_as_if_all_were_global() -> None:
    """To the last bit: checkpoints with a short context do not notice."""
    local, everywhere = (tiny_config(local_frames=6, global_every=n) for n in (3, 1))
    model = random_model(local)
    same = VideoModel(everywhere).eval()
    same.load_state_dict(model.state_dict())
    batch = random_batch(local, 2, 17, [2, 9, 16])
    with torch.inference_mode():
        assert torch.equal(model(batch), same(batch))

"""Nothing leaks: a clip depends on its own past and on itself only."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import random_batch, random_model, tiny_config

CONFIG = tiny_config()
BATCH = random_batch(CONFIG, size=1, num_real=10, clip_start=[3, 7])


def predict(**changes: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = random_model(CONFIG)(replace(BATCH, **changes))[0]
    return result


def test_a_later_frame_or_state_changes_nothing_in_an_earlier_clip() -> None:
    """Changing everything real after frame 3 leaves the clip after frame 3 as it was."""
    frames, state = BATCH.frames.clone(), BATCH.state.clone()
    frames[:, 4:] += 1
    state[:, 4:] += 1
    before, after = predict(), predict(frames=frames, state=state)
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])


def test_a_frame_older_than_the_window_reaches_a_clip_only_through_later_frames() -> None:
    """With one block there is no later frame to pass it on: nothing changes."""
    config = tiny_config(depth=1, context_frames=3)
    frames = BATCH.frames.clone()
    frames[:, :5] += 1
    model = random_model(config)
    with torch.inference_mode():
        assert torch.equal(model(BATCH)[:, 1], model(replace(BATCH, frames=frames))[:, 1])


def test_one_clip_does_not_see_another() -> None:
    """Changing the noise of the first clip leaves the second as it was."""
    noisy = BATCH.noisy.clone()
    noisy[:, 0] += 1
    before, after = predict(), predict(noisy=noisy)
    assert torch.equal(before[1], after[1])
    assert not torch.equal(before[0], after[0])


def test_commands_that_are_not_committed_are_not_read() -> None:
    """Only the first `count` commands of a clip matter."""
    count = torch.tensor([[1, 2]])
    free, taken = BATCH.committed.clone(), BATCH.committed.clone()
    free[:, 0, 1:] += 1
    free[:, 1, 2:] += 1
    taken[:, :, 0] += 1
    before = predict(count=count)
    assert torch.equal(before, predict(count=count, committed=free))
    assert not torch.equal(before[0], predict(count=count, committed=taken)[0])


@pytest.mark.parametrize("clip", [0, 1])
def test_the_instruction_reaches_every_clip(clip: int) -> None:
    """Other words, another prediction."""
    words = (BATCH.words + 1) % CONFIG.word_buckets
    assert not torch.equal(predict()[clip], predict(words=words)[clip])


def test_frames_of_a_clip_see_each_other_both_ways() -> None:
    """The last noisy frame changes the first predicted one, and the first the last."""
    first, last = BATCH.noisy.clone(), BATCH.noisy.clone()
    first[:, 0, 0] += 1
    last[:, 0, -1] += 1
    before = predict()
    assert not torch.equal(before[0, -1], predict(noisy=first)[0, -1])
    assert not torch.equal(before[0, 0], predict(noisy=last)[0, 0])

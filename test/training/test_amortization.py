"""Windows of episodes and the clips in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from moving_square import moving_squares, small_config

from dva_ros.errors import UserError
from dva_ros.training.amortization import Sequence, SequenceSampler, noised, weighted_loss
from dva_ros.training.video_loop import parse_emphasis
from dva_ros.video.instruction import hash_words
from dva_ros.video.patches import patchify, to_signal

CONFIG = small_config()
LENGTH = 24


def draw(store: object, num_real: int = 12, batch: int = 6, seed: int = 0) -> Sequence:
    sampler = SequenceSampler(store, CONFIG, num_real, stride=3)  # type: ignore[arg-type]
    return sampler.sample(np.random.default_rng(seed), batch)


def test_a_window_is_a_row_of_one_episode_with_its_joints_and_words() -> None:
    """Frames, states, commands and instruction belong together; joints are normalised."""
    store = moving_squares()
    patches = patchify(store.gather_frames(np.arange(store.num_frames)), CONFIG.patch)
    sequence = draw(store)
    for row in range(6):
        window = sequence.patches[row].numpy()
        candidates = np.flatnonzero((patches == window[0]).all((1, 2)))
        first = next(
            int(c) for c in candidates if np.array_equal(patches[c : c + 12], window[:12])
        )
        episode = first // LENGTH
        assert (first + 11) // LENGTH == episode
        joints = (store.state[first : first + 12] - CONFIG.state_mean) / CONFIG.state_std
        np.testing.assert_allclose(sequence.state[row], joints, rtol=1e-5, atol=1e-5)
        words = hash_words(store.instructions[episode], 512, CONFIG.max_words)
        np.testing.assert_array_equal(sequence.words[row], words)


def test_windows_begin_at_the_start_and_end_at_the_end_of_episodes_often() -> None:
    """Frames near the ends are drawn too: a quarter of all windows or more at either end."""
    store = moving_squares(episodes=1)
    firsts = []
    for seed in range(200):
        state = draw(store, batch=1, seed=seed).state[0, 0].numpy()
        normal = (store.state - CONFIG.state_mean) / CONFIG.state_std
        firsts.append(int(np.abs(normal - state).sum(1).argmin()))
    assert 0.2 < np.mean(np.array(firsts) == 0) < 0.45
    assert 0.2 < np.mean(np.array(firsts) == LENGTH - 12) < 0.45


def test_windows_lie_around_frames_that_teach_most_often_the_first_of_them() -> None:
    """Where a policy drove for the first two thirds, nearly all windows show the intervention."""
    clean = np.zeros(2 * 60, dtype=bool)
    for episode in range(2):
        clean[60 * episode + 40 : 60 * (episode + 1)] = True
    frame = np.repeat(np.arange(120, dtype=np.float32)[:, None] % 60, 3, axis=1)
    store = replace(moving_squares(episodes=2, length=60, clean=clean), state=frame)
    firsts = []
    for seed in range(200):
        state = float(draw(store, batch=1, seed=seed).state[0, 0, 2])
        firsts.append(round(state * CONFIG.state_std[2] + CONFIG.state_mean[2]))
    assert min(firsts) >= 40 - 6, "a window of 12 is centred on a clean frame"
    assert 0.2 < np.mean(np.array(firsts) == 40 - 6) < 0.4


def test_short_episodes_are_padded_and_padding_teaches_nothing() -> None:
    """Past its end an episode repeats its last frame; clips that begin there do not count."""
    store = moving_squares(episodes=4, length=10)
    sequence = draw(store, num_real=16)
    last = sequence.patches[:, 9:10]
    assert (sequence.patches[:, 10:] == last).all()
    starts_inside = sequence.clip_start < 9
    assert torch.equal(sequence.usable.all(-1), starts_inside.expand(6, -1))


def test_no_clip_teaches_a_disturbance_unless_it_was_committed() -> None:
    """A frame that is not clean spoils clips that would imitate it, whatever the noise."""
    clean = np.ones(4 * LENGTH, dtype=bool)
    clean[5::LENGTH] = False
    sequence = draw(moving_squares(episodes=4, clean=clean), num_real=LENGTH)
    batch = noised(sequence, CONFIG, torch.Generator().manual_seed(0), torch.float32)
    for clip, start in enumerate(sequence.clip_start.tolist()):
        disturbed = 5 - (start + 1)
        for row in range(6):
            is_taught = bool((batch.weight[row, clip] > 0).any())
            imitates = int(batch.clips.count[row, clip]) <= disturbed < CONFIG.horizon
            assert is_taught == (not imitates and start < LENGTH - 1)


def test_clips_hold_the_frames_and_commands_after_their_start() -> None:
    """Clip frame i is real frame start + 1 + i, noised; its command is the one of that frame."""
    sequence = draw(moving_squares())
    level = torch.full(sequence.usable.shape[:2], 0.25)
    batch = noised(sequence, CONFIG, torch.Generator().manual_seed(0), torch.float32, level)
    signal = to_signal(sequence.patches, torch.float32)
    for clip, start in enumerate(sequence.clip_start.tolist()):
        rows = slice(start + 1, start + 1 + CONFIG.horizon)
        torch.testing.assert_close(batch.target[:, clip], signal[:, rows])
        torch.testing.assert_close(batch.clips.committed[:, clip], sequence.command[:, rows])
    noise = (batch.clips.noisy - 0.25 * batch.target) / 0.75
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)


def test_every_number_of_committed_frames_is_drawn_and_the_typical_one_most() -> None:
    """0..max_committed: half the typical number, a quarter the greatest, the rest any."""
    sequence = draw(moving_squares(), batch=400)
    batch = noised(sequence, CONFIG, torch.Generator().manual_seed(0), torch.float32)
    shares = torch.bincount(batch.clips.count.flatten()) / batch.clips.count.numel()
    torch.testing.assert_close(shares, torch.tensor([1, 7, 4]) / 12, atol=0.04, rtol=0)


def test_frames_that_will_be_executed_weigh_twice() -> None:
    """The three frames after the committed ones; all weights sum to one."""
    sequence = draw(moving_squares())
    batch = noised(sequence, CONFIG, torch.Generator().manual_seed(0), torch.float32)
    assert float(batch.weight.sum()) == pytest.approx(1)
    one_clip = batch.weight[batch.clips.count == 1][0]
    torch.testing.assert_close(one_clip / one_clip[0], torch.tensor([1.0, 2.0, 2.0, 2.0]))


def test_the_loss_is_zero_for_the_answer_and_positive_else() -> None:
    """Whatever the noise."""
    sequence = draw(moving_squares())
    batch = noised(sequence, CONFIG, torch.Generator().manual_seed(0), torch.float32)
    assert float(weighted_loss(batch.target, batch)) == 0
    assert float(weighted_loss(batch.target + 0.1, batch)) > 0.009


def test_data_without_a_successful_episode_is_refused() -> None:
    """The message says what is missing."""
    store = moving_squares(episodes=2)
    store.success[:] = False
    with pytest.raises(UserError, match="no successful episode"):
        SequenceSampler(store, CONFIG)


def test_emphasis_draws_episodes_with_a_word_so_many_times_as_often() -> None:
    """Four red windows for a blue one, given as many episodes; a word that is only part of
    another does not count."""
    store = moving_squares(episodes=40)
    is_red = np.array(["red" in text.split() for text in store.instructions])
    sampler = SequenceSampler(store, CONFIG, 12, stride=3, emphasis={"red": 4.0, "squ": 9.0})
    words = sampler.sample(np.random.default_rng(0), 2000).words.numpy()
    red = hash_words("move the red square", 512, CONFIG.max_words)
    share = float((words == red).all(axis=1).mean())
    expected = 4.0 * is_red.sum() / (4.0 * is_red.sum() + (~is_red).sum())
    assert share == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("text", ["yellow", "yellow=often", "yellow=0", "yellow=-1", "yellow=inf"])
def test_an_emphasis_that_makes_no_sense_is_refused(text: str) -> None:
    """By name, before any training."""
    with pytest.raises(UserError, match="--emphasis"):
        parse_emphasis(text)

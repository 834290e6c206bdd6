"""Attention written as exponentials and products is softmax attention, backwards too."""

from __future__ import annotations

import pytest
import torch

from dva_ros.video.attention import MAX_SCORE, HeadNorm, Rope, exp_attention


@pytest.mark.parametrize("masked", [False, True])
def test_exp_attention_and_its_gradients_equal_softmax_attention(masked: bool) -> None:
    """In float64, with and without a mask, keys split in two parts that are summed."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = (
        torch.randn(2, 3, 5, 4, generator=generator, dtype=torch.float64, requires_grad=True)
        for _ in range(3)
    )
    mask = torch.ones(5, 5, dtype=torch.float64).tril() if masked else None
    scores = q @ k.mT
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -torch.inf)
    expected = torch.softmax(scores, -1) @ v
    near = exp_attention(q, k[..., :2, :], v[..., :2, :], None if mask is None else mask[:, :2])
    far = exp_attention(q, k[..., 2:, :], v[..., 2:, :], None if mask is None else mask[:, 2:])
    found = (near[0] + far[0]) / (near[1] + far[1])
    torch.testing.assert_close(found, expected)
    weight = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    for a, b in zip(
        torch.autograd.grad((found * weight).sum(), (q, k, v)),
        torch.autograd.grad((expected * weight).sum(), (q, k, v)),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_scores_stay_bounded_whatever_the_gain_and_the_features() -> None:
    """Huge features and a huge learned gain: the exponential still fits bfloat16."""
    norm = HeadNorm(8)
    with torch.no_grad():
        norm.gain.fill_(1e6)
    features = torch.randn(50, 8) * 1e4
    q, k = norm(features, features)
    assert (q @ k.mT).abs().max() <= MAX_SCORE * 1.001
    assert torch.isfinite((q @ k.mT).to(torch.bfloat16).exp()).all()


def test_rotated_scores_depend_on_index_differences_only() -> None:
    """The same pair of vectors, near the start and a week of frames later."""
    rope = Rope(8)
    q, k = torch.randn(1, 8), torch.randn(1, 8)

    def score(query_index: int, key_index: int) -> float:
        rotated_q = rope.rotate(q, rope.tables(torch.tensor([query_index])))
        rotated_k = rope.rotate(k, rope.tables(torch.tensor([key_index])))
        return float((rotated_q * rotated_k).sum())

    assert score(7, 3) == pytest.approx(score(6_048_007, 6_048_003), abs=1e-4)
    assert score(7, 3) != pytest.approx(score(7, 4), abs=1e-3)

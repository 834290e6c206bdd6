"""Ranks: all see the mean gradient and each other's wish to stop."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from rank_work import record_averages

from dva_ros.training.data_parallel import launch


def test_one_rank_runs_in_this_process_and_averages_nothing(tmp_path: Path) -> None:
    """No processes, no communication."""
    launch(1, record_averages, tmp_path)
    gradient, shared = torch.load(tmp_path / "0.pt")
    assert torch.equal(gradient, torch.zeros(1, 3))
    assert shared.tolist() == [0]


def test_two_ranks_see_the_mean_gradient_and_each_others_stop(tmp_path: Path) -> None:
    """Both ranks get the same numbers, so both decide alike."""
    launch(2, record_averages, tmp_path)
    for rank in (0, 1):
        gradient, shared = torch.load(tmp_path / f"{rank}.pt")
        assert torch.equal(gradient, torch.full((1, 3), 0.5))
        assert shared.tolist() == [0.5]


def test_a_number_of_ranks_below_one_is_refused(tmp_path: Path) -> None:
    """Said before anything starts."""
    with pytest.raises(ValueError, match="ranks must be at least 1, got 0"):
        launch(0, record_averages, tmp_path)

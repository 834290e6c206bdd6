"""Ranks: one step of two ranks is the step of their joined batch, and they stop together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dva_ros.training.data_parallel import Group, launch


def _record(group: Group, folder: Any) -> None:
    """Average the gradient of rank-dependent data, and one vector; write down what came."""
    layer = torch.nn.Linear(3, 1, bias=False)
    layer.weight.grad = torch.full_like(layer.weight, float(group.rank))
    shared = group.average_gradients(layer.parameters(), torch.tensor([float(group.rank == 1)]))
    torch.save((layer.weight.grad, shared), Path(folder) / f"{group.rank}.pt")


def test_one_rank_runs_in_this_process_and_averages_nothing(tmp_path: Path) -> None:
    """No processes, no communication."""
    launch(1, _record, tmp_path)
    gradient, shared = torch.load(tmp_path / "0.pt")
    assert torch.equal(gradient, torch.zeros(1, 3))
    assert shared.tolist() == [0]


def test_two_ranks_see_the_mean_gradient_and_each_others_stop(tmp_path: Path) -> None:
    """Both ranks get the same numbers, so both decide alike."""
    launch(2, _record, tmp_path)
    for rank in (0, 1):
        gradient, shared = torch.load(tmp_path / f"{rank}.pt")
        assert torch.equal(gradient, torch.full((1, 3), 0.5))
        assert shared.tolist() == [0.5]


def test_a_number_of_ranks_below_one_is_refused(tmp_path: Path) -> None:
    """Said before anything starts."""
    with pytest.raises(ValueError, match="ranks must be at least 1, got 0"):
        launch(0, _record, tmp_path)

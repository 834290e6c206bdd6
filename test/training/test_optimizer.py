"""The optimizer's updates are those of torch's own Muon and AdamW."""

from __future__ import annotations

import torch
from torch import nn

from dva_ros.training.optimizer import FlatParameters, Optimizer, OptimizerConfig

CONFIG = OptimizerConfig(max_grad_norm=1e9)
STEPS = 5


class Block(nn.Module):
    """A wide and a tall matrix, and a vector that AdamW updates."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(16, 48)
        self.down = nn.Linear(48, 16)


class Model(nn.Module):
    """Blocks as the video model has them: their matrices are Muon's."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(16, 3)


def test_updates_equal_torchs_muon_and_adamw() -> None:
    """Ours works on a flat buffer, batches equal shapes and shares them between ranks."""
    torch.manual_seed(0)
    model, readout = Model(), nn.Linear(3, 2)
    shapes = {name: p.detach().clone() for name, p in model.named_parameters()}
    shapes |= {f"readout.{name}": p.detach().clone() for name, p in readout.named_parameters()}
    theirs = {name: nn.Parameter(value.clone()) for name, value in shapes.items()}
    matrices = [p for n, p in theirs.items() if n.startswith("blocks.") and p.ndim == 2]
    others = [p for p in theirs.values() if not any(p is one for one in matrices)]
    rates = {"lr": CONFIG.muon_lr, "momentum": CONFIG.momentum}
    muon = torch.optim.Muon(matrices, weight_decay=CONFIG.weight_decay, **rates)
    adam = torch.optim.AdamW(
        others, lr=CONFIG.adam_lr, betas=CONFIG.adam_betas, weight_decay=CONFIG.weight_decay
    )
    parameters = FlatParameters(model, readout, torch.float32)
    ours = Optimizer(parameters, CONFIG)
    for step in range(STEPS):
        gradient = torch.randn(
            parameters.grads.shape, generator=torch.Generator().manual_seed(step)
        )
        for name, part in parameters.named_slices(gradient).items():
            theirs[name].grad = part.clone()
        ours.step(gradient, lr_factor=1.0)
        muon.step()
        adam.step()
    for name, found in parameters.named_slices(ours.master).items():
        expected, before = theirs[name].detach(), shapes[name]
        change = (expected - before).norm()
        assert (found - expected).norm() < 0.02 * change, name

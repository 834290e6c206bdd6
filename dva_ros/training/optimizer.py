"""Muon for matrices, AdamW for the rest, over one flat buffer of float32 master weights.

The model keeps fast low-precision weights that are views of one flat tensor, and so do its
gradients: one all-reduce, one norm, one copy per step.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from .data_parallel import Group

READOUT = "readout"
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_NEWTON_SCHULZ_STEPS = 5


@dataclass(frozen=True)
class OptimizerConfig:
    """Rates and decays. `muon_lr` is the spectral norm of one step of a square matrix."""

    muon_lr: float = 0.02
    adam_lr: float = 1e-3
    momentum: float = 0.95
    adam_betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    ema_decay: float = 0.999


@dataclass(frozen=True)
class _MatrixGroup:
    """Matrices of one shape that lie in a row in the flat buffer: [count, rows, columns]."""

    start: int
    shape: tuple[int, int, int]

    @property
    def stop(self) -> int:
        return self.start + self.shape[0] * self.shape[1] * self.shape[2]


class FlatParameters:
    """Moves float32 modules into flat buffers of `dtype`; the model's block matrices come first.

    Parameters of `readout`, which is trained with the model and not part of it, come last, and
    their names begin with "readout.".

    Attributes:
        weights, grads: flat, of `dtype`; the model's parameters and gradients are views of them.
        initial: float32 copy of the weights before they were rounded.
    """

    def __init__(self, model: nn.Module, readout: nn.Module, dtype: torch.dtype) -> None:
        named = list(model.named_parameters())
        named += list(readout.named_parameters(prefix=READOUT))
        matrices = [(name, p) for name, p in named if name.startswith("blocks.") and p.ndim == 2]
        matrices.sort(key=lambda item: _matrix_shape(*item)[1:])
        taken = {name for name, _ in matrices}
        ordered = matrices + [item for item in named if item[0] not in taken]
        self.initial = torch.cat([p.detach().float().flatten() for _, p in ordered])
        model.to(dtype)
        readout.to(dtype)
        self.weights = self.initial.to(dtype)
        self.grads = torch.zeros_like(self.weights)
        self.groups: list[_MatrixGroup] = []
        self.num_matrix = sum(p.numel() for _, p in matrices)
        self.names: list[tuple[str, torch.Size]] = []
        offset = 0
        for name, parameter in ordered:
            stop = offset + parameter.numel()
            parameter.data = self.weights[offset:stop].view_as(parameter)
            parameter.grad = self.grads[offset:stop].view_as(parameter)
            if name in taken:
                self._extend_groups(offset, _matrix_shape(name, parameter))
            self.names.append((name, parameter.shape))
            offset = stop

    def _extend_groups(self, offset: int, shape: tuple[int, int, int]) -> None:
        count, rows, columns = shape
        if self.groups and self.groups[-1].shape[1:] == (rows, columns):
            last = self.groups.pop()
            count, offset = count + last.shape[0], last.start
        self.groups.append(_MatrixGroup(offset, (count, rows, columns)))

    def named_slices(self, flat: Tensor) -> dict[str, Tensor]:
        """Any flat tensor of this layout, by parameter name."""
        sizes = [shape.numel() for _, shape in self.names]
        parts = flat.split(sizes)
        return {
            name: part.view(shape) for (name, shape), part in zip(self.names, parts, strict=True)
        }


class Optimizer:
    """One step over the flat buffers. All state is in `state()`; equal input, equal output."""

    def __init__(
        self, parameters: FlatParameters, config: OptimizerConfig, group: Group | None = None
    ) -> None:
        self.parameters, self.config = parameters, config
        self._group = group or Group()
        self.master = parameters.initial.clone()
        self.ema = self.master.clone()
        self.momentum = torch.zeros_like(self.master[: parameters.num_matrix])
        self.first = torch.zeros_like(self.master[parameters.num_matrix :])
        self.second = torch.zeros_like(self.first)
        self.step_count = 0

    def step(self, grad: Tensor, lr_factor: float) -> float:
        """Update the weights from a flat float32 gradient; returns its norm before clipping."""
        norm = float(grad.norm())
        grad = grad * min(1.0, self.config.max_grad_norm / (norm + 1e-6))
        self.step_count += 1
        split = self.parameters.num_matrix
        self._step_muon(grad[:split], lr_factor)
        self._step_adam(grad[split:], lr_factor)
        decay = min(self.config.ema_decay, (1 + self.step_count) / (10 + self.step_count))
        self.ema.lerp_(self.master, 1 - decay)
        self.parameters.weights.copy_(self.master)
        return norm

    def use_ema(self) -> None:
        """Put the averaged weights into the model, for validation; `use_master` puts back."""
        self.parameters.weights.copy_(self.ema)

    def use_master(self) -> None:
        """Put the trained weights into the model."""
        self.parameters.weights.copy_(self.master)

    def state(self) -> dict[str, Tensor | int]:
        """Everything that training needs to go on exactly."""
        return {
            "master": self.master,
            "ema": self.ema,
            "momentum": self.momentum,
            "first": self.first,
            "second": self.second,
            "step_count": self.step_count,
        }

    def load_state(self, state: dict[str, Tensor | int]) -> None:
        """Inverse of `state`."""
        for name in ("master", "ema", "momentum", "first", "second"):
            value = state[name]
            assert isinstance(value, Tensor)
            getattr(self, name).copy_(value)
        self.step_count = int(state["step_count"])
        self.use_master()

    def _step_muon(self, grad: Tensor, lr_factor: float) -> None:
        config = self.config
        self.momentum.lerp_(grad, 1 - config.momentum)
        look_ahead = torch.lerp(grad, self.momentum, config.momentum)
        lr = config.muon_lr * lr_factor
        update = self._orthogonal(look_ahead)
        for group in self.parameters.groups:
            part = slice(group.start, group.stop)
            _, rows, columns = group.shape
            master = self.master[part]
            master.mul_(1 - lr * config.weight_decay)
            master.add_(update[part], alpha=-lr * max(1.0, rows / columns) ** 0.5)

    def _orthogonal(self, flat: Tensor) -> Tensor:
        """Orthogonalise every matrix; each rank does its share, and the shares are added up."""
        rank, size = self._group.rank, self._group.size
        update = torch.zeros_like(flat)
        for group in self.parameters.groups:
            part = slice(group.start, group.stop)
            mine = flat[part].view(group.shape)[rank::size]
            if len(mine):
                update[part].view(group.shape)[rank::size] = orthogonalise(mine)
        if size > 1:
            dist.all_reduce(update)
        return update

    def _step_adam(self, grad: Tensor, lr_factor: float) -> None:
        config = self.config
        beta1, beta2 = config.adam_betas
        self.first.lerp_(grad, 1 - beta1)
        self.second.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        root = (self.second / (1 - beta2**self.step_count)).sqrt_().add_(1e-8)
        lr = config.adam_lr * lr_factor
        master = self.master[self.parameters.num_matrix :]
        master.mul_(1 - lr * config.weight_decay)
        master.addcdiv_(self.first, root, value=-lr / (1 - beta1**self.step_count))


def orthogonalise(matrices: Tensor) -> Tensor:
    """Nearest semi-orthogonal matrices [count, rows, columns], by Newton-Schulz in bfloat16."""
    a, b, c = _NEWTON_SCHULZ
    transpose = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if transpose else matrices
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(torch.bfloat16).contiguous()
    for _ in range(_NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    x = x.float()
    return x.mT if transpose else x


def _matrix_shape(name: str, parameter: Tensor) -> tuple[int, int, int]:
    """Matrices in one parameter: a fused query-key-value weight holds three."""
    rows, columns = parameter.shape
    count = 3 if name.endswith("qkv.weight") else 1
    return count, rows // count, columns

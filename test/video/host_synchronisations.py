"""Counts what makes the host wait for a device, on tensors without data."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_aten = torch.ops.aten
BLOCKING = {
    _aten._local_scalar_dense,
    _aten.item,
    _aten.is_nonzero,
    _aten.equal,
    _aten.nonzero,
    _aten.masked_select,
    _aten.bincount,
    _aten._unique2,
}
"""Operations whose result, or its shape, the host must know."""


class _Literals(TorchFunctionMode):
    """Tensors on the device that are made of numbers of Python; not dispatched as copies."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self._found = found

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.tensor, torch.as_tensor) and result.device.type != "cpu":
            self._found.append(f"{func.__name__} from the host")
        return result


class HostSynchronisations(TorchDispatchMode):
    """Names of the operations that waited. The meta device stands in for a GPU: what copies
    between it and the host crosses the bus."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._literals = _Literals(self.found)

    def __enter__(self) -> HostSynchronisations:
        self._literals.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._literals.__exit__(*error)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func._overloadpacket in BLOCKING:
            self.found.append(str(func))
        result = func(*args, **(kwargs or {}))
        tensors = [t for t in tree_leaves((args, kwargs, result)) if isinstance(t, torch.Tensor)]
        # A number in a tensor of no dimensions is passed with the launch.
        if len({tensor.device for tensor in tensors if tensor.dim()}) > 1:
            self.found.append(f"{func} between host and device")
        return result

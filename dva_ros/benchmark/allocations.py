"""Memory that torch newly allocates in a call."""

from __future__ import annotations

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile


def allocated_bytes(call: Callable[[], object], warm_up: int = 2) -> int:
    """Sum of all allocations that torch makes during one call after a warm-up.

    Freed ones count, too: what is asked from the allocator, not what stays. Arrays of numpy and
    objects of Python do not count.
    """
    for _ in range(warm_up):
        call()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    results = profiler.profiler.kineto_results
    sizes = [event.nbytes() for event in results.events() if event.name() == "[memory]"]
    return sum(size for size in sizes if size > 0)

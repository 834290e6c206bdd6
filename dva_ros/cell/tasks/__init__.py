"""The tasks: one folder each. A folder's package has the task as `TASK`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import cast

from ...errors import UserError
from ..task import Task


@lru_cache(maxsize=1)
def task_names() -> tuple[str, ...]:
    """Names of the shipped tasks, in alphabetical order."""
    return tuple(sorted(one.name for one in pkgutil.iter_modules(__path__) if one.ispkg))


@lru_cache(maxsize=64)
def find_task(name: str) -> Task:
    """A task by name, or one of a user's own module.

    Args:
        name: a shipped task, or ``package.module:Task``: a class without arguments or an object.

    Raises:
        UserError: there is no such task or module.
    """
    if ":" in name:
        return _imported(name)
    if name not in task_names():
        raise UserError(
            f"task {name!r} is unknown; choose one of {', '.join(task_names())}, "
            "or name your own as package.module:Task"
        )
    return cast(Task, importlib.import_module(f"{__name__}.{name}").TASK)


def _imported(name: str) -> Task:
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UserError(
            f"task {name!r}: {module_name} cannot be imported ({error}); "
            "run from the folder that holds it, or put that folder into PYTHONPATH"
        ) from error
    if not hasattr(module, attribute):
        raise UserError(f"task {name!r}: {module_name} has no {attribute!r}")
    found = getattr(module, attribute)
    try:
        task = found() if isinstance(found, type) else found
    except TypeError as error:
        raise UserError(f"task {name!r} cannot be made without arguments: {error}") from error
    missing = [
        one
        for one in ("name", "summary", "max_episode_s", "scene", "actors", "goal", "expert")
        if not hasattr(task, one)
    ]
    if missing:
        raise UserError(f"task {name!r} has no {', '.join(missing)}; see docs/tasks.md")
    return cast(Task, task)

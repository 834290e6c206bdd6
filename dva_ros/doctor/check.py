"""The result of a check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

RATE_TOLERANCE = 0.05
"""Share by which a measured rate may differ from the configured one."""


class Status(str, Enum):
    """What was found."""

    OK = "ok"
    OPTIONAL = "optional"
    """Absent or poor, and most things work without it."""
    MISSING = "missing"
    """Absent or broken, and needed."""


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: the thing.
        status: whether it is as it should be.
        detail: version or value that was found, or what is wrong.
        purpose: what the project uses it for.
        remedy: what to do about it; empty where nothing needs doing.
    """

    name: str
    status: Status
    detail: str
    purpose: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Section:
    """Checks of one kind, in the order of display."""

    title: str
    checks: tuple[Check, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, for JSON."""
        return {
            "title": self.title,
            "checks": [asdict(check) | {"status": check.status.value} for check in self.checks],
        }


def judged(name: str, problems: Sequence[tuple[str, str]], found: str) -> list[Check]:
    """One check for each problem and its remedy, or a single good one with what was found."""
    if not problems:
        return [Check(name, Status.OK, found)]
    return [Check(name, Status.MISSING, problem, remedy=remedy) for problem, remedy in problems]


def is_healthy(sections: list[Section]) -> bool:
    """True when nothing that is needed is missing."""
    return all(
        check.status is not Status.MISSING for section in sections for check in section.checks
    )

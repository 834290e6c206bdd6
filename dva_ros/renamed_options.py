"""Deprecated names of command line options."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Protocol


class _Options(Protocol):
    """A parser or one of its groups."""

    def add_argument(self, *names: str, **settings: Any) -> argparse.Action: ...


def add_deprecated_name(parser: _Options, option: argparse.Action, old: str) -> None:
    """Let `old` work as another name of an option, hidden from the help, with a warning.

    Args:
        parser: the parser or group that the option was added to.
        option: what `add_argument` returned; it must not be a required option.
        old: the deprecated name, e.g. ``--speed-scaling``.
    """
    parser.add_argument(
        old,
        action=_Deprecated,
        option=option,
        dest=option.dest,
        nargs=option.nargs,
        type=option.type,
        choices=option.choices,
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
    )


class _Deprecated(argparse.Action):
    def __init__(self, *, option: argparse.Action, **settings: Any) -> None:
        super().__init__(**settings)
        self._option = option

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        new = self._option.option_strings[-1]
        print(f"warning: {option_string} is deprecated; use {new}", file=sys.stderr)
        self._option(parser, namespace, values, new)

"""``python -m dva_ros COMMAND``: the commands, each a module of `dva_ros.commands`."""

from __future__ import annotations

import argparse
import importlib
import keyword
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

from . import commands
from .errors import UserError

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


def command_names() -> list[str]:
    """The public modules of `dva_ros.commands`, in alphabetical order."""
    return sorted(
        module.name.rstrip("_").replace("_", "-")
        for module in pkgutil.iter_modules(commands.__path__)
        if not module.name.startswith("_")
    )


def load_command(name: str) -> ModuleType:
    """Import the module of a command; it imports what it needs only in its ``run``.

    The module of a command that is a Python keyword ends in an underscore.
    """
    module = f"{name}_" if keyword.iskeyword(name) else name.replace("-", "_")
    return importlib.import_module(f"{commands.__name__}.{module}")


def build_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of these commands; ``run`` of the parsed namespace is the command's function."""
    parser = argparse.ArgumentParser(
        prog="python -m dva_ros",
        description="A Direct Video-Action Model that controls a bimanual cell through ROS 2.",
    )
    commands_ = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        module = load_command(name)
        command = commands_.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The command's exit status; 2 for a `UserError`, which is printed without a traceback; 130
        after Ctrl-C.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    known = command_names()
    # Only the requested command is imported, so that it starts quickly.
    names = arguments[:1] if arguments[:1] and arguments[0] in known else known
    args = build_parser(names).parse_args(arguments)
    try:
        return int(args.run(args))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())

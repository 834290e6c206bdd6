"""``python -m dva_ros VERB``: the table of verbs, each a module of `dva_ros.commands`."""

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


def verb_names() -> list[str]:
    """The public modules of `dva_ros.commands`, in alphabetical order."""
    return sorted(
        module.name.rstrip("_").replace("_", "-")
        for module in pkgutil.iter_modules(commands.__path__)
        if not module.name.startswith("_")
    )


def load_verb(name: str) -> ModuleType:
    """Import one verb's module; it imports what it needs only in its ``run``.

    The module of a verb that Python keeps for itself ends in an underscore.
    """
    module = f"{name}_" if keyword.iskeyword(name) else name.replace("-", "_")
    return importlib.import_module(f"{commands.__name__}.{module}")


def build_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of these verbs; ``run`` of the parsed namespace is the verb's function."""
    parser = argparse.ArgumentParser(
        prog="python -m dva_ros",
        description="A Direct Video-Action Model that controls a bimanual cell through ROS 2.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in names:
        module = load_verb(name)
        verb = verbs.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        The verb's exit status; 2 for a `UserError`, which is printed without a traceback; 130
        after Ctrl-C.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    known = verb_names()
    # Only the verb that was asked for is imported, so that it starts quickly.
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

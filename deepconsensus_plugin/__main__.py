# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point ``python -m deepconsensus_plugin COMMAND``: work without the GUI."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from deepconsensus_plugin import __version__

COMMANDS = ("run", "report", "export", "models", "check")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    # A command that is named is the only one imported: `check` must work where what
    # the others need is missing.
    named = [name for name in COMMANDS if given[:1] == [name]]
    parser = _build_parser(named or COMMANDS)
    options = parser.parse_args(given)
    status: int = options.run(options)
    return status


def _build_parser(commands: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deepconsensus_plugin",
        description="Deep consensus, without the GUI.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    choices = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in commands:
        command = importlib.import_module(f"deepconsensus_plugin.commands.{name}")
        subparser = choices.add_parser(
            name, help=command.HELP, description=command.HELP
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())

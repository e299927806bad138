# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point ``python -m deepconsensus_plugin COMMAND``: work without the GUI."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from deepconsensus_plugin import __version__
from deepconsensus_plugin.commands.stopping import ending_at_once

COMMANDS = ("run", "open", "report", "export", "models", "check")
STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""

_PROGRAM = "python -m deepconsensus_plugin"
_EPILOG = f"""
{_PROGRAM} COMMAND --help tells more.

exit status:
  0  done
  1  failed, or the input is wrong: the message says what
  2  wrong usage: an option, a command or a needed argument
  {STOPPED}  interrupted by Ctrl-C (143: by SIGTERM)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] and given[0] in COMMANDS:
        try:
            with ending_at_once():
                return _carry_out(given[0], given[1:])
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            return STOPPED
        except BrokenPipeError:  # the reader of the output, such as `head`, has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
    _overview().parse_args(given)  # shows help or version, or refuses; ends here
    return 2


def _carry_out(name: str, words: Sequence[str]) -> int:
    # A command that is named is the only one imported: `check` must work where what
    # the others need is missing.
    command = _import(name)
    parser = argparse.ArgumentParser(
        prog=f"{_PROGRAM} {name}",
        description=command.HELP,
        conflict_handler="resolve",  # `run` has a help of its own
    )
    command.add_arguments(parser)
    parser.set_defaults(refuse=parser.error)
    status: int = command.run(parser.parse_intermixed_args(words))
    return status


def _overview() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Deep consensus, without the GUI.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    choices = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        choices.add_parser(name, help=_import(name).HELP)
    return parser


def _import(name: str) -> ModuleType:
    return importlib.import_module(f"deepconsensus_plugin.commands.{name}")


if __name__ == "__main__":
    sys.exit(main())

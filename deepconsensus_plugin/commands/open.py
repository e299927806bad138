# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``open PROJECT``: a project in Scipion's window."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from deepconsensus_plugin.bootstrap import prepare_environment

HELP = "show a project in Scipion's window"
_WINDOW = "deepconsensus_plugin.commands.project_window"
_DATABASE = "project.sqlite"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command."""
    parser.add_argument(
        "project",
        type=Path,
        help="folder of a Scipion project, of `run` or any other; the command ends "
        "when its window is closed",
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the window and wait; the exit status is 0 if it closed without a fault."""
    folder = arguments.project.expanduser().absolute()
    try:
        _require_project(folder)
        _require_display()
        prepare_environment()
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    # Scipion takes an unoptimised Python for debugging.
    command = [sys.executable, "-O", "-m", _WINDOW, str(folder)]
    return subprocess.run(command, check=False).returncode and 1


def _require_project(folder: Path) -> None:
    if not (folder / _DATABASE).is_file():
        raise ValueError(f"{folder}: not a Scipion project (it has no {_DATABASE})")


def _require_display() -> None:
    if find_spec("tkinter") is None:
        raise ValueError("This Python has no Tk. apt-get install python3-tk")
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        raise ValueError(
            "There is no display to open a window on (DISPLAY is not set). Over ssh, "
            "connect with ssh -X"
        )
